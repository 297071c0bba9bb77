import { lazy, Suspense } from 'react'
import { type FlowPartsFragment, UsageFlowDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Card, CardHead } from '@/kit/card'
import { SkeletonBlock } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { compactMoney, money, moneyWords, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, unitOf } from '@/lib/plane'
import { useNarrow } from '@/lib/narrow'
import { type Search, useFilter, useZone } from './params'

const FlowChart = lazy(() => import('@/kit/flow-chart'))
const TreeChart = lazy(() => import('@/kit/tree-chart'))

const views = [
  { value: 'flow', label: t('Flow') },
  { value: 'tree', label: t('Tree map') },
  { value: 'table', label: t('Table') },
] as const

type View = (typeof views)[number]['value']

/** Where the money went: from organizations through teams to models. On small screens the table comes first. */
export function Flow({ plane, url, setUrl }: { plane: Plane; url: Partial<Search>; setUrl: (patch: Partial<Search>) => void }) {
  const filter = useFilter(url, useZone())
  const usual: View = useNarrow() ? 'table' : 'flow'
  const view = views.find((v) => v.value === url.flow)?.value ?? usual
  const { data, loading, fault, retry } = useRead(UsageFlowDocument, { ...ask(plane), filter })
  const report = pick(data)?.usage
  const unit = unitOf(plane)
  if (report && report.flows.rows.length === 0) return null
  return (
    <Card>
      <CardHead title={t('Where it went')} note={t('From organizations through teams to models')}>
        <Segments label={t('Where it went, shown as')} value={view} onChange={(v) => setUrl({ flow: v === usual ? undefined : v })} options={views} />
      </CardHead>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonBlock className="h-80" />}
      {report && <Shown report={report} view={view} unit={unit} />}
    </Card>
  )
}

function Shown({ report, view, unit }: { report: FlowPartsFragment; view: View; unit: Unit }) {
  const ways = report.flows.rows.map((r) => ({
    path: [r.organizationName || t('The product itself'), r.teamName || t('No team'), r.modelName],
    ids: [r.organizationId, `${r.organizationId}/${r.teamId}`, r.modelId],
    amount: Number(r.amount),
    exact: r.amount,
  }))
  const label = t('{{amount}} by organization, team and model; the table has the numbers.', { amount: moneyWords(report.total.amount, unit) })
  const others = Number(report.flows.others) > 0
  if (view === 'table') {
    return (
      <div className="max-h-96 overflow-auto border-t border-line [&>div]:overflow-visible" tabIndex={0} role="region" aria-label={t('Where it went')}>
        <Table label={t('Where it went')}>
          <Head>
            <Th wide>{t('Organization')}</Th>
            <Th>{t('Team')}</Th>
            <Th>{t('Model')}</Th>
            <Th className="text-end">{unit === 'USD' ? t('Spent') : t('Credits')}</Th>
          </Head>
          <tbody>
            {ways.map((w) => (
              <tr key={w.ids.join(' ')} className={rowClass}>
                <Td wide className="max-w-48 truncate">
                  {w.path[0]}
                </Td>
                <Td className="max-w-40">
                  <span className="block truncate">{w.path[1]}</span>
                  <span className="block truncate text-xs text-muted md:hidden">{w.path[0]}</span>
                </Td>
                <Td className="max-w-40 truncate">{w.path[2]}</Td>
                <Td className="num text-end">{money(w.exact, unit)}</Td>
              </tr>
            ))}
            {others && (
              <tr className={rowClass}>
                <Td className="text-muted">{t('All other ways')}</Td>
                <Td wide />
                <Td />
                <Td className="num text-end">{money(report.flows.others, unit)}</Td>
              </tr>
            )}
          </tbody>
        </Table>
      </div>
    )
  }
  const Chart = view === 'flow' ? FlowChart : TreeChart
  return (
    <div className="px-4 pb-3">
      <Suspense fallback={<div className="h-80" />}>
        <Chart ways={ways} format={(v) => compactMoney(String(v), unit)} label={label} />
      </Suspense>
      {others && <p className="mt-2 text-xs text-muted">{t('{{amount}} more went other ways.', { amount: moneyWords(report.flows.others, unit) })}</p>}
    </div>
  )
}
