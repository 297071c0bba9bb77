import { Server } from 'lucide-react'
import { SeatModelsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

/** What a seat may call, and why, as the gateway decides it. */
export function SeatModels({ seatId }: { seatId: string }) {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(SeatModelsDocument, { scopeId: seatId }, (d) => d.access?.models)
  return (
    <div className="flex flex-col gap-3">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={4} />}
      {data?.access && rows.length === 0 && (
        <Empty icon={<Server aria-hidden />} title={t('No model may be used')}>
          {t('Nothing granted means nothing allowed: allow a model to the seat, its team or what is above.')}
        </Empty>
      )}
      {rows.length > 0 && (
        <ul className="rounded-lg border border-line">
          {rows.map(({ model, reason }) => (
            <li key={model.id} className="border-b border-line px-3 py-2 last:border-b-0">
              <span className="block font-medium">{model.name}</span>
              <span className="block text-xs text-muted">{reason}</span>
            </li>
          ))}
          {more && <TableFoot more={more} busy={fetching} />}
        </ul>
      )}
    </div>
  )
}
