import { CircleCheckBig, Inbox } from 'lucide-react'
import type { ReactNode } from 'react'
import type { RequestFilter, RequestPartsFragment } from '@/graphql/generated/graphql'
import type { Fault } from '@/graphql/fault'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

export const filters: readonly { value: RequestFilter; label: string }[] = [
  { value: 'WAITING_FOR_ME', label: t('Waiting for me') },
  { value: 'OPEN', label: t('All open') },
  { value: 'CLOSED', label: t('Closed') },
]

type Props<R> = { filter: RequestFilter; rows: readonly R[]; loaded: boolean; loading: boolean; fetching: boolean; fault?: Fault; retry: () => void; more?: () => void; clear: string; children: (request: R) => ReactNode }

/** Requests of an inbox, each as a card. */
export function RequestList<R extends RequestPartsFragment>({ filter, rows, loaded, loading, fetching, fault, retry, more, clear, children }: Props<R>) {
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading ? (
          <SkeletonRows rows={4} height="h-24" />
        ) : (
          loaded &&
          rows.length === 0 &&
          (filter === 'CLOSED' ? (
            <Empty icon={<Inbox aria-hidden />} title={t('Nothing was decided yet')} />
          ) : (
            <Empty icon={<CircleCheckBig aria-hidden />} title={t('All clear')}>
              {clear}
            </Empty>
          ))
        )}
        <ul>{rows.map(children)}</ul>
        <TableFoot more={more} busy={fetching} />
      </Card>
    </>
  )
}
