import { ChartColumn, Download, X } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { type PlatformRowPartsFragment, PlatformUsageDocument, type PlatformUsageFilter, type PlatformUsageGroup } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { buttonClass } from '@/kit/button'
import { Card, CardHead, Stat } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { compactCount, compactMoney, count, exact, money, moneyWords, percent, tickMoney, utcDay } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { Days, intervalOf, intervals, useFilter } from '@/features/usage'
import { Change } from '@/kit/change'

const BarChart = lazy(() => import('@/kit/bar-chart'))

type Search = { range: string; from: string; to: string; group: string; by: string; account: string; name: string; plane: string; model: string; over: string }

const groups: readonly { value: PlatformUsageGroup; label: string }[] = [
  { value: 'ACCOUNT', label: t('Account') },
  { value: 'PLANE', label: t('Product') },
  { value: 'MODEL', label: t('Model') },
  { value: 'DAY', label: t('Day') },
]

/** The id of a day; rows of another grouping stay until those of days have come. */
const dated = /^\d{4}-\d{2}-\d{2}$/

const measures = [
  { value: 'cost', label: t('Cost'), unit: 'USD' },
  { value: 'margin', label: t('Margin'), unit: 'USD' },
  { value: 'credits', label: t('Credits'), unit: 'CREDITS' },
] as const

const planeOf = (text: string | undefined): Plane | undefined => (text === 'CONSOLE' || text === 'COPILOT' ? text : undefined)

/** Cost, credits, value and margin over all accounts. What lies inside an account is not among it. */
export function PlatformUsagePage() {
  const [url, setUrl] = useUrl<Search>()
  const group = groups.find((g) => g.value === url.group)?.value ?? 'ACCOUNT'
  const by = intervalOf(url)
  const measure = measures.find((m) => m.value === url.over) ?? measures[0]
  const { from, to } = useFilter(url, 'UTC')
  const { account, model } = url
  const product = planeOf(url.plane)
  const filter = useMemo<PlatformUsageFilter>(() => ({ from, to, accountId: account, plane: product, model }), [from, to, account, product, model])
  const { data, loading, fault, retry } = useRead(PlatformUsageDocument, { filter, groupBy: group, by })
  const report = data?.platform?.usage
  const href = () => {
    const params = new URLSearchParams({ kind: 'platform', from: String(filter.from), to: String(filter.to), groupBy: group, interval: by })
    for (const name of ['accountId', 'plane', 'model'] as const) if (filter[name]) params.set(name, String(filter[name]))
    return `/export/usage?${params}`
  }
  const open = (row: PlatformRowPartsFragment) => {
    if (group === 'ACCOUNT') setUrl({ account: row.id, name: row.name, group: 'MODEL' })
    else if (group === 'PLANE') setUrl({ plane: row.id, group: 'ACCOUNT' })
    else if (dated.test(row.id)) setUrl({ range: 'custom', from: row.id, to: row.id, group: 'ACCOUNT' })
    else setUrl({ model: row.id, group: 'ACCOUNT' })
  }
  const chips: [label: string, clear: Partial<Search>][] = []
  if (url.account) chips.push([t('Account {{name}}', { name: url.name ?? url.account }), { account: undefined, name: undefined }])
  if (url.plane) chips.push([t('Product {{name}}', { name: url.plane === 'CONSOLE' ? t('Console') : t('Copilot') }), { plane: undefined }])
  if (url.model) chips.push([t('Model {{name}}', { name: url.model }), { model: undefined }])
  return (
    <>
      <PageHead title={t('Usage')} note={t('All accounts, each by the days of its own time zone. Who used it stays inside the account.')}>
        <Days url={url} setUrl={setUrl} timeZone="UTC" />
        <a href={href()} className={buttonClass({ size: 'sm' })}>
          <Download aria-hidden /> {t('Export CSV')}
        </a>
      </PageHead>
      {chips.length > 0 && (
        <ul aria-label={t('Narrowed down to')} className="mb-4 flex flex-wrap gap-1.5">
          {chips.map(([label, clear]) => (
            <li key={label}>
              <button type="button" onClick={() => setUrl(clear)} className="inline-flex h-6 max-w-full items-center gap-1 rounded-sm bg-accent-soft ps-2 pe-1 text-xs font-medium text-accent-text hover:bg-hover">
                <span className="truncate">{label}</span>
                <X aria-hidden className="size-3.5 shrink-0" />
                <span className="sr-only">{t('Remove this filter')}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-[34rem]" />}
      {report && (
        <>
          <div className="mb-4 grid grid-cols-2 gap-4 xl:grid-cols-4">
            <Stat label={t('Cost')} value={compactMoney(report.total.cost, 'USD')} note={t('{{copilot}} of it Copilot, paid by the platform', { copilot: compactMoney(report.total.copilotCost, 'USD') })} />
            <Stat label={t('Credits charged')} value={compactMoney(report.total.credits, 'CREDITS')} note={<Change now={report.total.credits} before={report.previous.credits} />} />
            <Stat label={t('Value')} value={compactMoney(report.total.value, 'USD')} note={t('at {{value}} a credit', { value: exact(data.platform!.creditValue, 'USD') })} />
            <Stat label={t('Margin')} value={compactMoney(report.total.margin, 'USD')} note={report.total.marginPercent === null || report.total.marginPercent === undefined ? '' : t('{{percent}} of the value', { percent: percent(report.total.marginPercent) })} />
          </div>
          <Card className="mb-4">
            <CardHead title={t('Over time')} note={t('{{amount}} in {{count}} calls; group by day for the numbers.', { amount: moneyWords(report.total[measure.value], measure.unit), count: count(report.total.calls) })}>
              <span className="flex max-w-full flex-wrap gap-2">
                <Segments label={t('Measure')} value={measure.value} onChange={(v) => setUrl({ over: v === 'cost' ? undefined : v })} options={measures} />
                <Segments label={t('Interval')} value={by} onChange={(by) => setUrl({ by })} options={intervals} />
              </span>
            </CardHead>
            <div className="px-3 pb-3">
              <Suspense fallback={<div className="h-52" />}>
                <BarChart bars={report.periods.map((p) => ({ x: p.start, y: Number(p.totals[measure.value]) }))} xLabel={utcDay} yLabel={(v) => tickMoney(v, measure.unit)} label={t('{{measure}} over time: {{amount}} in all.', { measure: measure.label, amount: money(report.total[measure.value], measure.unit) })} />
              </Suspense>
            </div>
          </Card>
          <Card>
            <div className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5">
              <h2 className="text-sm font-semibold max-sm:hidden">{t('By {{group}}', { group: groups.find((g) => g.value === group)!.label.toLowerCase() })}</h2>
              <Segments label={t('Group by')} value={group} onChange={(group) => setUrl({ group })} options={groups} />
            </div>
            {report.rows.length === 0 ? <Empty icon={<ChartColumn aria-hidden />} title={t('No traffic in these days')} /> : <Rows rows={report.rows} group={group} onOpen={open} />}
            {group === 'DAY' && report.rows.length === 100 && <p className="border-t border-line px-4 py-2.5 text-xs text-muted">{t('The first 100 days; the export has all.')}</p>}
          </Card>
        </>
      )}
    </>
  )
}

function Rows({ rows, group, onOpen }: { rows: readonly PlatformRowPartsFragment[]; group: PlatformUsageGroup; onOpen: (row: PlatformRowPartsFragment) => void }) {
  return (
    <Table label={t('Usage')}>
      <Head>
        <Th>{groups.find((g) => g.value === group)!.label}</Th>
        <Th className="text-end">{t('Cost')}</Th>
        {group !== 'DAY' && (
          <Th wide className="text-end">
            {t('Change')}
          </Th>
        )}
        <Th className="text-end">{t('Credits')}</Th>
        {group === 'ACCOUNT' && (
          <Th wide className="text-end">
            {t('Used of the cycle')}
          </Th>
        )}
        <Th wide className="text-end">
          {t('Value')}
        </Th>
        <Th wide className="text-end">
          {t('Margin')}
        </Th>
        <Th wide className="text-end">
          {t('Calls')}
        </Th>
      </Head>
      <tbody>
        {rows.map((r) => (
          <tr key={r.id} className={rowClass}>
            <Td className="max-w-56 truncate font-medium">
              <button type="button" data-row-link onClick={() => onOpen(r)} className="max-w-full truncate rounded-sm text-start hover:underline">
                {dated.test(r.id) ? utcDay(r.id) : r.name || r.id}
              </button>
            </Td>
            <Td className="num text-end">{money(r.totals.cost, 'USD')}</Td>
            {group !== 'DAY' && (
              <Td wide className="text-end">
                <Change now={r.totals.cost} before={r.previous?.cost} />
              </Td>
            )}
            <Td className="num text-end">{money(r.totals.credits, 'CREDITS')}</Td>
            {group === 'ACCOUNT' && (
              <Td wide className="num text-end text-muted">
                {r.granted ? t('{{used}} of {{granted}}', { used: compactMoney(r.used ?? '0', 'CREDITS'), granted: compactMoney(r.granted, 'CREDITS') }) : '–'}
              </Td>
            )}
            <Td wide className="num text-end">
              {money(r.totals.value, 'USD')}
            </Td>
            <Td wide className="num text-end">
              {compactMoney(r.totals.margin, 'USD')} {r.totals.marginPercent !== null && r.totals.marginPercent !== undefined && <span className="text-xs text-muted">{percent(r.totals.marginPercent)}</span>}
            </Td>
            <Td wide className="num text-end text-muted">
              <span title={count(r.totals.calls)}>{compactCount(r.totals.calls)}</span>
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
