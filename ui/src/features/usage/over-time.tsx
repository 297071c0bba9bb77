import { lazy, Suspense } from 'react'
import type { UsageGroup, UsagePartsFragment } from '@/graphql/generated/graphql'
import { Card, CardHead } from '@/kit/card'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { dayOf, money, moneyWords, tickMoney, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { groups, intervalOf, intervals, type Search, useZone } from './params'

const StackedChart = lazy(() => import('@/kit/stacked-chart'))

type Props = {
  series: UsagePartsFragment['series']
  whole: string
  group: UsageGroup
  unit: Unit
  url: Partial<Search>
  setUrl: (patch: Partial<Search>) => void
  className?: string
}

const views = [
  { value: 'chart', label: t('Chart') },
  { value: 'table', label: t('Table') },
] as const

/** The largest groups over time, all others together: stacked, or the same as a table. */
export function OverTime({ series, whole, group, unit, url, setUrl, className }: Props) {
  const label = dayOf(useZone())
  const view = url.over === 'table' ? 'table' : 'chart'
  const some = series.others.some((n) => Number(n) !== 0)
  const parts = [...series.groups.map((g) => ({ id: g.id || '-', name: g.name || g.id || t('Without one'), amounts: g.amounts })), ...(some ? [{ id: '…', name: t('All others'), amounts: series.others }] : [])]
  const by = groups.find((g) => g.value === group)!.label
  return (
    <Card className={className}>
      <CardHead title={t('Over time by {{group}}', { group: by.toLowerCase() })} note={group === 'TAG' ? t('A call with two tags counts in both.') : undefined}>
        <span className="flex max-w-full flex-wrap gap-2">
          <Segments label={t('Interval')} value={intervalOf(url)} onChange={(by) => setUrl({ by })} options={intervals} />
          <Segments label={t('Shown as')} value={view} onChange={(v) => setUrl({ over: v === 'chart' ? undefined : v })} options={views} />
        </span>
      </CardHead>
      {view === 'chart' ? (
        <div className="px-3 pb-3">
          <Suspense fallback={<div className="h-64" />}>
            <StackedChart
              starts={series.starts.map(String)}
              parts={parts.map((p) => ({ id: p.id, name: p.name, values: p.amounts.map(Number), rest: p.id === '…' }))}
              xLabel={label}
              yLabel={(v) => tickMoney(v, unit)}
              label={t('{{amount}} over time by {{group}}; the table has the numbers.', { amount: moneyWords(whole, unit), group: by.toLowerCase() })}
            />
          </Suspense>
        </div>
      ) : (
        <div className="max-h-80 overflow-auto border-t border-line [&>div]:overflow-visible" tabIndex={0} role="region" aria-label={t('Over time by {{group}}', { group: by.toLowerCase() })}>
          <Table label={t('Over time')}>
            <Head>
              <Th className="sticky start-0 bg-surface">{t('From')}</Th>
              {parts.map((p) => (
                <Th key={p.id} className="max-w-40 truncate text-end" title={p.name}>
                  {p.name}
                </Th>
              ))}
            </Head>
            <tbody>
              {series.starts.map((start, i) => (
                <tr key={String(start)} className={rowClass}>
                  <Td className="sticky start-0 bg-surface whitespace-nowrap">{label(String(start))}</Td>
                  {parts.map((p) => (
                    <Td key={p.id} className="num text-end">
                      {Number(p.amounts[i]) === 0 ? <span className="text-muted">–</span> : money(p.amounts[i]!, unit)}
                    </Td>
                  ))}
                </tr>
              ))}
            </tbody>
          </Table>
        </div>
      )}
    </Card>
  )
}
