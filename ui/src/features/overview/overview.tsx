import { Link } from '@tanstack/react-router'
import { ArrowRight, CircleCheck, CircleDashed, PartyPopper } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { OverviewDocument, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { readsWholePlane, useViewer } from '@/graphql/viewer'
import { Card, CardHead, Stat } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { compactMoney, count, dayOf, money, moneyWords, percent, tickMoney } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, slugOf, unitOf } from '@/lib/plane'
import { span, today } from '@/lib/range'
import { kindName, named, Outlook, tone, useBurn, Used } from '@/features/budgets'

const BarChart = lazy(() => import('@/kit/bar-chart'))

export function OverviewPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const { timeZone } = viewer.account
  const spans = useMemo(() => ({ today: today(timeZone), month: span('30d', timeZone) }), [timeZone])
  const { data, loading, fault, retry } = useRead(OverviewDocument, { ...ask(plane), ...spans, whole: readsWholePlane(viewer, plane) })
  const root = pick(data)
  const nodes = root?.scopes.edges.map((e) => named(e.node, viewer.account.name)) ?? []
  const top = nodes[0]
  const minute = useBurn(top?.id, { scopeIds: nodes.map((n) => n.id), minute: true })
  const unit = unitOf(plane)
  const base = `/a/${viewer.account.slug}/${slugOf(plane)}`
  const state = top?.budget?.state
  const attention = nodes.filter((n) => n.budget && (tone[n.budget.state.status] === 'warn' || tone[n.budget.state.status] === 'bad')).toSorted((a, b) => b.budget!.state.usedPercent - a.budget!.state.usedPercent)
  const steps = root && [
    ...('providers' in root && root.providers ? [{ done: root.providers.totalCount > 0, label: t('Connect a provider'), to: `${base}/models` }] : []),
    { done: root.models.totalCount > 0, label: plane === 'CONSOLE' ? t('Add a model with its price') : t('Switch a model on'), to: `${base}/models` },
    { done: Boolean(top?.budget), label: t('Set the first limit'), to: `${base}/budgets` },
    { done: root.keys.totalCount > 0, label: t('Create a virtual key'), to: `${base}/keys` },
    { done: root.month.total.calls > 0, label: t('Make the first call'), to: `${base}/keys` },
  ]
  const open = steps?.some((s) => !s.done)

  return (
    <>
      <PageHead title={t('Overview')} note={t('{{account}}, {{plane}}', { account: viewer.account.name, plane: nameOf(plane) })} badge={<LiveBadge />} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-[38rem]" />}
      {root && (
        <>
          {open && steps && <Checklist steps={steps} />}
          <div className="mb-4 grid grid-cols-2 gap-4 xl:grid-cols-4">
            <Stat label={unit === 'USD' ? t('Spent today') : t('Credits spent today')} value={compactMoney(root.today.total.amount, unit)} note={t('{{count}} calls', { count: root.today.total.calls })} />
            <Stat label={unit === 'USD' ? t('Spent in 30 days') : t('Credits in 30 days')} value={compactMoney(root.month.total.amount, unit)} note={t('{{count}} calls', { count: root.month.total.calls })} />
            <Stat label={unit === 'USD' ? t('Spent in this cycle') : t('Credits in this cycle')} value={state ? compactMoney(state.spent, unit) : '–'} note={state && t('{{percent}} of {{limit}}', { percent: percent(state.usedPercent), limit: moneyWords(state.limit, unit) })} />
            <Stat label={unit === 'USD' ? t('Burn, a day') : t('Credits a day')} value={state ? compactMoney(state.perDay, unit) : '–'} note={state && <Outlook state={state} />} />
          </div>
          <div className="grid gap-4 lg:grid-cols-3">
            <Card className="lg:col-span-2">
              <CardHead title={t('Spend by day')} note={t('{{amount}} in 30 days', { amount: moneyWords(root.month.total.amount, unit) })} />
              <div className="px-3 pb-3">
                <Suspense fallback={<div className="h-52" />}>
                  <BarChart bars={root.month.periods.map((d) => ({ x: d.start, y: Number(d.amount) }))} xLabel={dayOf(timeZone)} yLabel={(v) => tickMoney(v, unit)} label={t('Spend by day: {{amount}} in 30 days.', { amount: moneyWords(root.month.total.amount, unit) })} />
                </Suspense>
              </div>
            </Card>
            <Card>
              <CardHead title={t('Needs a look')} note={attention.length > 0 ? t('{{count}} budgets need a look', { count: attention.length }) : undefined} />
              {attention.length === 0 ? (
                <Empty icon={<PartyPopper aria-hidden />} title={t('All clear')}>
                  {t('No budget runs out before its cycle ends.')}
                </Empty>
              ) : (
                <ul className="border-t border-line">
                  {attention.slice(0, 5).map((n) => (
                    <li key={n.id} className="border-b border-line last:border-b-0">
                      <Link to={`${base}/budgets` as '/'} search={{ peek: n.id } as never} className="block px-4 py-2.5 hover:bg-hover/60 focus-visible:-outline-offset-2">
                        <span className="mb-1 flex items-baseline justify-between gap-2">
                          <span className="truncate font-medium">
                            {n.name} <span className="text-xs font-normal text-muted">{kindName[n.kind]}</span>
                          </span>
                          <span className="shrink-0 text-xs">
                            <Outlook state={n.budget!.state} />
                          </span>
                        </span>
                        <Used state={n.budget!.state} name={n.name} />
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
            <Ranking title={t('Top users, 30 days')} report={root.people} to={`${base}/usage`} group="MEMBER" />
            <Ranking title={t('Top teams, 30 days')} report={root.teams} to={`${base}/usage`} group="TEAM" />
            <Card>
              <CardHead title={t('Right now')} note={minute.spenders.length === 0 ? t('Who spent in the last minute') : t('{{amount}} in the last minute', { amount: moneyWords(minute.amount, unit) })}>
                <LiveBadge />
              </CardHead>
              {minute.spenders.length === 0 ? (
                <p className="border-t border-line px-4 py-8 text-center text-muted">{t('Quiet: no call in the last minute.')}</p>
              ) : (
                <ul className="border-t border-line">
                  {minute.spenders.map((s) => (
                    <li key={s.id} className="flex items-baseline gap-3 border-b border-line px-4 py-2 last:border-b-0">
                      <span className="min-w-0 grow truncate">{s.name}</span>
                      <span className="num text-xs text-muted">{t('{{count}} calls', { count: s.calls })}</span>
                      <span className="num font-medium">{money(s.amount, unit)}</span>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
          </div>
        </>
      )}
    </>
  )
}

function Ranking({ title, report, to, group }: { title: string; report: SpendRowsFragment; to: string; group: string }) {
  return (
    <Card>
      <CardHead title={title}>
        <Link to={to as '/'} search={{ group } as never} className="inline-flex min-h-6 items-center gap-1 rounded-sm text-xs text-muted hover:text-fg">
          {t('Usage')} <ArrowRight aria-hidden className="size-3.5" />
        </Link>
      </CardHead>
      {report.rows.length === 0 ? (
        <p className="border-t border-line px-4 py-8 text-center text-muted">{t('Nothing spent yet.')}</p>
      ) : (
        <ol className="border-t border-line">
          {report.rows.map((r) => (
            <li key={r.id || r.name} className="relative flex items-baseline gap-3 border-b border-line px-4 py-2 last:border-b-0">
              <span aria-hidden className="absolute inset-y-1 start-1 rounded-sm bg-accent-soft" style={{ width: `calc(${r.share}% - 0.5rem)` }} />
              <span className="relative min-w-0 grow truncate">{r.name || t('Without a seat')}</span>
              <span className="num relative text-xs text-muted">{t('{{calls}} calls', { calls: count(r.totals.calls) })}</span>
              <span className="num relative font-medium">{money(r.totals.amount, report.unit)}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  )
}

function Checklist({ steps }: { steps: { done: boolean; label: string; to: string }[] }) {
  const done = steps.filter((s) => s.done).length
  return (
    <Card className="mb-4">
      <CardHead title={t('Set up')} note={t('{{done}} of {{all}} done', { done, all: steps.length })} />
      <ol className="grid border-t border-line sm:grid-cols-3 lg:grid-cols-5">
        {steps.map((s) => (
          <li key={s.label}>
            <Link to={s.to as '/'} className="flex items-center gap-2.5 px-4 py-3 hover:bg-hover/60 focus-visible:-outline-offset-2">
              {s.done ? <CircleCheck aria-hidden className="size-4 shrink-0 text-ok" /> : <CircleDashed aria-hidden className="size-4 shrink-0 text-muted" />}
              <span className={s.done ? 'text-muted' : 'font-medium'}>
                {s.label} <span className="sr-only">{s.done ? t('done') : t('open')}</span>
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </Card>
  )
}
