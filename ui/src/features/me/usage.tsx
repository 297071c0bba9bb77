import { useMemo, useState } from 'react'
import { MyUsageDocument, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Card, CardHead } from '@/kit/card'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { ago, money, moneyWords, percent, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, unitOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { OpenReceipt } from '@/features/usage'

/** On what a seat's money went in the last 30 days: models, keys, and the newest receipts. */
export function MyUsage({ plane, seatId }: { plane: Plane; seatId: string }) {
  const { timeZone } = useViewer().account
  const spend = useMemo(() => ({ ...span('30d', timeZone), scopeId: seatId }), [seatId, timeZone])
  const { data, loading, fault, retry } = useRead(MyUsageDocument, { ...ask(plane), seat: seatId, spend })
  const mine = pick(data)
  const unit = unitOf(plane)
  const [receipt, setReceipt] = useState<string>()
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <div className="grid items-start gap-4 md:grid-cols-2 xl:grid-cols-3">
        <Card>
          <CardHead title={t('By model')} note={t('Last 30 days')} />
          {loading ? <SkeletonRows rows={3} /> : <Parts report={mine?.byModel} unit={unit} other={t('Without one')} />}
        </Card>
        <Card>
          <CardHead title={t('By key')} note={t('Last 30 days')} />
          {loading ? <SkeletonRows rows={3} /> : <Parts report={mine?.byKey} unit={unit} other={t('Signed in, without a key')} />}
        </Card>
        <Card className="md:max-xl:col-span-2">
          <CardHead title={t('Newest receipts')} />
          {loading ? (
            <SkeletonRows rows={3} />
          ) : (
            <ul className="border-t border-line">
              {mine?.charges.edges.map(({ node: c }) => (
                <li key={c.id} className="border-b border-line last:border-b-0">
                  <button type="button" onClick={() => setReceipt(c.id)} className="flex min-h-8 w-full items-baseline gap-3 px-4 py-1.5 text-start hover:bg-hover/60 focus-visible:-outline-offset-2">
                    <span className="min-w-0 grow truncate font-medium">{c.modelName}</span>
                    <time dateTime={c.at} title={`${utc(c.at)} · ${c.requestId}`} className="shrink-0 text-xs text-muted">
                      {ago(c.at)}
                    </time>
                    <span className="num w-20 shrink-0 text-end">{money(c.amount, unit)}</span>
                  </button>
                </li>
              ))}
              {mine?.charges.edges.length === 0 && <li className="px-4 py-3 text-muted">{t('No calls yet.')}</li>}
            </ul>
          )}
        </Card>
      </div>
      {receipt && <OpenReceipt id={receipt} onClose={() => setReceipt(undefined)} onLine={setReceipt} />}
    </>
  )
}

function Parts({ report, unit, other }: { report?: SpendRowsFragment; unit: Unit; other: string }) {
  if (!report || report.rows.length === 0) return <p className="border-t border-line px-4 py-3 text-muted">{t('Nothing in the last 30 days.')}</p>
  return (
    <ul className="border-t border-line py-1">
      {report.rows.map((r) => (
        <li key={r.id || 'none'} className="px-4 py-1.5">
          <div className="flex items-baseline gap-3">
            <span className="min-w-0 grow truncate">{r.name || other}</span>
            <span className="num shrink-0 text-xs text-muted">{percent(r.share)}</span>
            <span className="num w-20 shrink-0 text-end font-medium" title={moneyWords(r.totals.amount, unit)}>
              {money(r.totals.amount, unit)}
            </span>
          </div>
          <span aria-hidden className="mt-1 block h-1 rounded-full bg-track">
            <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.max(1, r.share)}%` }} />
          </span>
        </li>
      ))}
    </ul>
  )
}
