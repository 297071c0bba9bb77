import { Link } from '@tanstack/react-router'
import { ReceiptText, X } from 'lucide-react'
import { StatementsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, slugOf, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { cycleName, nameOfScope } from './words'

/** What closed cycles came to, newest first; of one scope where the address names it. */
export function StatementsPage({ plane }: { plane: Plane }) {
  const { account } = useViewer()
  const [url, setUrl] = useUrl<{ scope: string }>()
  const list = usePages(StatementsDocument, { ...ask(plane), scopeId: url.scope }, (data) => pick(data)?.statements)
  const unit = unitOf(plane)
  const of = url.scope ? list.rows[0] : undefined
  return (
    <>
      <PageHead
        title={of ? t('Statements of {{name}}', { name: nameOfScope(of, account.name) }) : t('Statements')}
        note={t('One for every cycle that has closed. A statement never changes: what is corrected later stands on the next one.')}
      >
        {url.scope && (
          <Button size="sm" onClick={() => setUrl({ scope: undefined })}>
            <X aria-hidden /> {t('Show all')}
          </Button>
        )}
      </PageHead>
      {list.fault && (
        <div className="mb-4">
          <ErrorBar fault={list.fault} retry={list.retry} />
        </div>
      )}
      <Card>
        {list.loading && <SkeletonRows rows={8} />}
        {!list.loading && !list.fault && list.rows.length === 0 && (
          <Empty icon={<ReceiptText aria-hidden />} title={t('No cycle has closed yet')}>
            {t('A statement is written when a budget’s cycle is over and its last call is charged.')}
          </Empty>
        )}
        {list.rows.length > 0 && (
          <Table label={t('Statements')}>
            <Head>
              <Th>{t('Budget')}</Th>
              <Th>{t('Cycle')}</Th>
              <Th className="text-end">{t('Spent')}</Th>
              <Th wide className="text-end">
                {t('Limit')}
              </Th>
              <Th wide className="text-end">
                {t('In overflow')}
              </Th>
              <Th wide className="text-end">
                {t('Carried on')}
              </Th>
            </Head>
            <tbody>
              {list.rows.map((s) => (
                <tr key={s.id} className={rowClass}>
                  <Td>
                    <Link
                      to="/a/$account/$plane/statements/$id"
                      params={{ account: account.slug, plane: slugOf(plane), id: s.id }}
                      className="font-medium underline decoration-line-strong underline-offset-4 hover:decoration-current"
                    >
                      {nameOfScope(s, account.name)}
                    </Link>
                    {s.location && <span className="block text-xs text-muted">{s.location}</span>}
                  </Td>
                  <Td className="max-sm:text-xs">{cycleName(s.startsAt, s.endsAt, account.timeZone)}</Td>
                  <Td className="num text-end font-medium">{money(s.spent, unit)}</Td>
                  <Td wide className="num text-end text-muted">
                    {money(s.limit, unit)}
                  </Td>
                  <Td wide className="num text-end text-muted">
                    {some(s.overflowSpent) ? <span className="font-medium text-warn">{money(s.overflowSpent, unit)}</span> : '–'}
                  </Td>
                  <Td wide className="num text-end text-muted">
                    {some(s.carriedOut) ? money(s.carriedOut, unit) : '–'}
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        <TableFoot more={list.more} busy={list.fetching} />
      </Card>
    </>
  )
}

const some = (amount: string) => /[1-9]/.test(amount)
