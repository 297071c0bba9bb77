import { CatalogPricePreviewDocument, type PriceInput, type PricePreviewPartsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { exact } from '@/lib/format'
import { t } from '@/lib/i18n'

/** What the last 30 days would have been at another price. */
export function PricePreview({ modelId, price }: { modelId: string; price: PriceInput }) {
  const { data, fault } = useRead(CatalogPricePreviewDocument, { id: modelId, price })
  if (fault) return <ErrorBar fault={fault} />
  const preview = data?.node && 'pricePreview' in data.node ? data.node.pricePreview : undefined
  if (!preview) return <SkeletonRows rows={2} height="h-8" />
  if (preview.rows.length === 0) return <p className="text-sm text-muted">{t('Nobody called it within the last 30 days.')}</p>
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-sm whitespace-nowrap">
        <caption className="pb-1 text-start text-xs whitespace-normal text-muted">{t('The last 30 days at this price, and what they were')}</caption>
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="py-1 text-start font-medium">
              {t('Account')}
            </th>
            {[t('Cost'), t('Credits'), t('Margin')].map((h) => (
              <th key={h} scope="col" className="py-1 ps-4 text-end font-medium">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Row name={t('All accounts')} row={preview.total} />
          {preview.rows.slice(0, 10).map((r) => (
            <Row key={r.account?.id} name={r.account?.name ?? ''} row={r} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What would be, above what was. */
function Row({ name, row }: { name: string; row: PricePreviewPartsFragment }) {
  const cells = [
    { what: 'cost', before: row.costBefore, after: row.costAfter, unit: 'USD' },
    { what: 'credits', before: row.creditsBefore, after: row.creditsAfter, unit: 'CREDITS' },
    { what: 'margin', before: row.marginBefore, after: row.marginAfter, unit: 'USD' },
  ] as const
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="py-1.5 text-start font-normal">
        {name}
      </th>
      {cells.map((c) => (
        <td key={c.what} className="num py-1.5 ps-4 text-end">
          <span className="block font-medium">{exact(c.after, c.unit)}</span>
          <span className="block text-xs text-muted">{exact(c.before, c.unit)}</span>
        </td>
      ))}
    </tr>
  )
}
