import { ChartColumn } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { UsageDocument, type UsageGroup } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Card, CardHead, Stat } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { compactCount, compactMoney, count, money, moneyWords, percent, tickMoney, utcDay } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, unitOf } from '@/lib/plane'
import { rangeOf, ranges, span } from '@/lib/range'
import { useUrl } from '@/lib/url'
import { WhatIfPanel } from '@/features/whatif'

const BarChart = lazy(() => import('@/kit/bar-chart'))

const groups: readonly { value: UsageGroup; label: string }[] = [
  { value: 'MODEL', label: t('Model') },
  { value: 'TEAM', label: t('Team') },
  { value: 'MEMBER', label: t('User') },
  { value: 'KEY', label: t('Key') },
  { value: 'ORGANIZATION', label: t('Organization') },
]

export function UsagePage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ range: string; group: string }>()
  const range = rangeOf(url.range)
  const group = groups.find((g) => g.value === url.group) ?? groups[0]!
  const filter = useMemo(() => span(range), [range])
  const { data, loading, fault, retry } = useRead(UsageDocument, { ...ask(plane), filter, groupBy: group.value })
  const report = pick(data)?.usage
  const unit = unitOf(plane)

  return (
    <>
      <PageHead title={t('Usage')} note={t('Everything that was charged in {{plane}}, from the ledger. Days are UTC.', { plane: nameOf(plane) })}>
        <Segments label={t('Range')} value={range} onChange={(range) => setUrl({ range })} options={ranges} />
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-[34rem]" />}
      {report && (
        <>
          <div className="mb-4 grid grid-cols-2 gap-4 lg:grid-cols-4">
            <Stat label={unit === 'USD' ? t('Spent') : t('Credits spent')} value={compactMoney(report.total.amount, unit)} note={moneyWords(report.total.amount, unit)} />
            <Stat label={t('Calls')} value={compactCount(report.total.calls)} note={count(report.total.calls)} />
            <Stat label={t('Input tokens')} value={compactCount(report.total.inputTokens)} />
            <Stat label={t('Output tokens')} value={compactCount(report.total.outputTokens)} />
          </div>
          <Card className="mb-4">
            <CardHead title={t('By day')} note={t('{{amount}} in {{count}} calls', { amount: moneyWords(report.total.amount, unit), count: report.total.calls })} />
            <div className="px-3 pb-3">
              <Suspense fallback={<div className="h-52" />}>
                <BarChart
                  bars={report.days.map((d) => ({ x: d.day, y: Number(d.amount) }))}
                  xLabel={utcDay}
                  yLabel={(v) => tickMoney(v, unit)}
                  label={t('Spend by day over {{range}}: {{amount}} in all.', { range: ranges.find((r) => r.value === range)!.label, amount: moneyWords(report.total.amount, unit) })}
                />
              </Suspense>
            </div>
          </Card>
          <Card>
            <div className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5">
              <h2 className="text-sm font-semibold max-sm:hidden">{t('By {{group}}', { group: group.label.toLowerCase() })}</h2>
              <Segments label={t('Group by')} value={group.value} onChange={(group) => setUrl({ group })} options={groups} />
            </div>
            {report.rows.length === 0 ? (
              <Empty icon={<ChartColumn aria-hidden />} title={t('No traffic yet')}>
                {t('Make a call with a virtual key: it shows here within a second.')}
              </Empty>
            ) : (
              <Table label={t('Usage')}>
                <Head>
                  <Th>{group.label}</Th>
                  <Th className="text-end">{unit === 'USD' ? t('Spent') : t('Credits')}</Th>
                  <Th className="w-44">{t('Share')}</Th>
                  <Th wide className="text-end">
                    {t('Calls')}
                  </Th>
                  <Th wide className="text-end">
                    {t('Input tokens')}
                  </Th>
                  <Th wide className="text-end">
                    {t('Output tokens')}
                  </Th>
                </Head>
                <tbody>
                  {report.rows.map((r) => (
                    <tr key={r.id || r.name} className={rowClass}>
                      <Td className="max-w-56 truncate font-medium">{r.name || t('Without one')}</Td>
                      <Td className="text-end">{money(r.totals.amount, unit)}</Td>
                      <Td>
                        <span className="flex items-center gap-2.5">
                          <span aria-hidden className="h-1.5 grow rounded-full bg-track">
                            <span className="block h-full rounded-full bg-accent" style={{ width: `${r.share}%` }} />
                          </span>
                          <span className="w-10 text-end text-xs text-muted">{percent(r.share)}</span>
                        </span>
                      </Td>
                      <Td wide className="text-end">
                        {count(r.totals.calls)}
                      </Td>
                      <Td wide className="text-end text-muted">
                        {count(r.totals.inputTokens)}
                      </Td>
                      <Td wide className="text-end text-muted">
                        {count(r.totals.outputTokens)}
                      </Td>
                    </tr>
                  ))}
                </tbody>
              </Table>
            )}
          </Card>
        </>
      )}
      <div className="mt-4">
        <WhatIfPanel key={plane} plane={plane} />
      </div>
    </>
  )
}
