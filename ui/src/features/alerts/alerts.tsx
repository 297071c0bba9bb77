import { Link } from '@tanstack/react-router'
import { BellRing } from 'lucide-react'
import { type AlertPartsFragment, AlertsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, slugOf } from '@/lib/plane'
import { standing, toneOf, what } from './words'

/** What budgets of a plane have told, newest first. */
export function AlertsPage({ plane }: { plane: Plane }) {
  const { account } = useViewer()
  const { rows, loading, fetching, fault, retry, more } = usePages(AlertsDocument, ask(plane), (d) => pick(d)?.alerts)
  const at = (a: AlertPartsFragment) => ({ to: `/a/${account.slug}/${slugOf(plane)}/budgets`, search: { peek: a.scope.id } })
  return (
    <>
      <PageHead title={t('Alerts')} note={t('Budgets of {{plane}} that passed a threshold or were about to run out: each once a cycle.', { plane: nameOf(plane) })} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={6} />}
        {!loading && !fault && rows.length === 0 && (
          <Empty icon={<BellRing aria-hidden />} title={t('No alert yet')}>
            {t('Admins are told when a budget passes 80%, 95% and 100% of its limit, unless other thresholds are set for it.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Alerts')}>
            <Head>
              <Th>{t('Budget')}</Th>
              <Th>{t('Alert')}</Th>
              <Th wide>{t('As it stood')}</Th>
              <Th wide className="text-end">{t('When')}</Th>
            </Head>
            <tbody>
              {rows.map((a) => (
                <tr key={a.id} className={rowClass}>
                  <Td>
                    <Link data-row-link {...at(a)} className="rounded-sm font-medium hover:underline">
                      {a.scope.kind === 'CONSOLE' || a.scope.kind === 'COPILOT' ? t('The whole {{plane}}', { plane: nameOf(plane) }) : a.scope.name}
                    </Link>
                    <span className="block text-xs text-muted">{a.scope.location}</span>
                    <time dateTime={a.createdAt} title={utc(a.createdAt)} className="block text-xs text-muted md:hidden">
                      {ago(a.createdAt)}
                    </time>
                  </Td>
                  <Td>
                    <Badge tone={toneOf(a)} dot>
                      {what(a)}
                    </Badge>
                  </Td>
                  <Td wide className="num text-muted">
                    {standing(a)}
                  </Td>
                  <Td wide className="text-end whitespace-nowrap text-muted">
                    <time dateTime={a.createdAt} title={utc(a.createdAt)}>
                      {ago(a.createdAt)}
                    </time>
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
    </>
  )
}
