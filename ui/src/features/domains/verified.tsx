import { AtSign } from 'lucide-react'
import { AccountDomainsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Card, CardHead } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ApproveDomain } from './approve'

type Props = { account: { id: string; name: string }; mayApprove: boolean }

/** A customer's domains as the platform sees them: those that are proved, and how. */
export function VerifiedDomains({ account, mayApprove }: Props) {
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(AccountDomainsDocument, { id: account.id }, (d) => d.account?.domains)
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card>
        <CardHead title={t('Verified domains')} note={t('Sign-ins from there go to the identity provider of {{account}}. What it only claims is its own matter.', { account: account.name })} />
        {fault && (
          <div className="px-4 pb-4">
            <ErrorBar fault={fault} retry={retry} />
          </div>
        )}
        {loading && <SkeletonRows rows={3} />}
        {data && rows.length === 0 && !fault && (
          <Empty icon={<AtSign aria-hidden />} title={t('No verified domain')}>
            {t('Nobody is sent to an identity provider by their address.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <>
            <ul className="border-t border-line">
              {rows.map((d) => (
                <li key={d.id} className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2 last:border-b-0">
                  <span className="min-w-0 grow font-medium break-all">{d.name}</span>
                  <Badge tone={d.verifiedBy === 'OPERATOR' ? 'info' : 'ok'}>{d.verifiedBy === 'OPERATOR' ? t("By an operator's word") : t('By DNS')}</Badge>
                  {d.verifiedAt && (
                    <time dateTime={d.verifiedAt} title={utc(d.verifiedAt)} className="text-xs whitespace-nowrap text-muted">
                      {day(d.verifiedAt)}
                    </time>
                  )}
                </li>
              ))}
            </ul>
            {more && (
              <TableFoot more={more} busy={fetching}>
                {t('{{count}} domains', { count: total ?? rows.length })}
              </TableFoot>
            )}
          </>
        )}
      </Card>
      {mayApprove && <ApproveDomain account={account} onApproved={retry} />}
    </div>
  )
}
