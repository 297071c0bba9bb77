import { MyRequestsDocument, type RequestPartsFragment } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Card, CardHead } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { Outcome, Passed } from './request'
import { Withdraw } from './withdraw'
import { asked, statusName, statusTone } from './words'

/** What the reader has asked for, and what became of it. */
export function MyRequests({ plane }: { plane: Plane }) {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(MyRequestsDocument, { plane }, (d) => d.viewer.requests)
  return (
    <Card>
      <CardHead title={t('My requests')} />
      <div className="border-t border-line">
        {fault && (
          <div className="p-3">
            <ErrorBar fault={fault} retry={retry} />
          </div>
        )}
        {loading && <SkeletonRows rows={2} />}
        {data && rows.length === 0 && !fault && <p className="px-4 py-3 text-muted">{t('You have not asked for anything yet.')}</p>}
        <ul>
          {rows.map((r) => (
            <Mine key={r.id} request={r} />
          ))}
        </ul>
        <TableFoot more={more} busy={fetching} />
      </div>
    </Card>
  )
}

function Mine({ request: r }: { request: RequestPartsFragment }) {
  return (
    <li className="flex flex-col gap-1.5 border-b border-line px-4 py-3 last:border-b-0">
      <div className="flex items-start gap-3">
        <div className="min-w-0 grow">
          <p className="num font-medium">{asked(r)}</p>
          <p className="text-xs text-muted">
            <span title={utc(r.createdAt)}>{ago(r.createdAt)}</span>
            {r.status === 'PENDING' && ` · ${r.atPlatform ? t('waits for the people who run this Cockpit') : t('waits for the admins of {{place}}', { place: r.waitsAt })}`}
          </p>
        </div>
        <Badge tone={statusTone[r.status]}>{statusName[r.status]}</Badge>
      </div>
      <p className="break-words text-muted">{r.reason}</p>
      <Passed request={r} />
      <Outcome request={r} />
      <Withdraw request={r} />
    </li>
  )
}
