import { Link } from '@tanstack/react-router'
import { type ReactNode, useMemo, useState } from 'react'
import { BudgetPeekDocument, type BudgetPeekQuery, type ChargePartsFragment, type ScopeRowFragment, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Sheet } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { ago, money, moneyWords, percent, utc, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, slugOf, unitOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { BudgetAlerts } from '@/features/alerts'
import { BurnPicture } from '@/features/burn'
import { chargeKinds, OpenReceipt } from '@/features/usage'
import { type Minute, useBurn } from './burn'
import { History } from './history'
import { kindName, named } from './kinds'
import { AtLimit } from './outlook'
import { BudgetPanel } from './panel'
import { alone, type Row } from './tree'
import { Why } from './why'

type Props = { id: string; plane: Plane; rows?: readonly Row[]; onClose: () => void }

const none: readonly Row[] = []

/** Who spent it on what, where its numbers come from, and who changed them. */
export function BudgetPeek({ id, plane, rows = none, onClose }: Props) {
  const minute = useBurn(id, { minute: true })
  const { account } = useViewer()
  const spend = useMemo(() => ({ ...span('30d', account.timeZone), scopeId: id }), [id, account.timeZone])
  const { data, fault, loading, retry } = useRead(BudgetPeekDocument, { ...ask(plane), id, spend })
  const [receipt, setReceipt] = useState<string>()
  const [tab, setTab] = useState<'use' | 'why' | 'history'>('use')
  const scope = data?.node && 'kind' in data.node ? named(data.node as ScopeRowFragment, account.name) : undefined
  const previous = data?.node && 'budget' in data.node ? data.node.budget?.previousSeries : undefined
  const plan = pick(data)
  const unit = unitOf(plane)
  const row = scope && (rows.find((r) => r.id === id) ?? alone(scope))

  return (
    <Sheet
      open
      onClose={onClose}
      className="max-w-xl"
      title={scope?.name ?? t('Budget')}
      description={scope && [kindName[scope.kind], scope.location].filter(Boolean).join(' · ')}
    >
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !scope && !fault && <p className="py-8 text-center text-muted">{t("This scope doesn't exist, or you may not see it.")}</p>}
      {scope && row && (
        <div className="flex flex-col gap-5">
          <BudgetPanel
            row={row}
            rows={rows}
            unit={unit}
            statements={
              <Link to="/a/$account/$plane/statements" params={{ account: account.slug, plane: slugOf(plane) }} search={{ scope: scope.id }} className="font-medium text-accent-text hover:underline">
                {t('Statements')}
              </Link>
            }
          />
          {scope.budget && <BudgetAlerts budgetId={scope.budget.id} thresholds={scope.budget.thresholds} />}
          <Tabs
            label={t('About this budget')}
            value={tab}
            onChange={setTab}
            tabs={[
              { value: 'use', label: t('Use'), content: <Use scope={scope} previous={previous} plan={plan} minute={minute} unit={unit} onReceipt={setReceipt} /> },
              { value: 'why', label: t('Where it comes from'), content: <Why id={id} unit={unit} /> },
              ...(scope.budget ? [{ value: 'history' as const, label: t('History'), content: <History budgetId={scope.budget.id} unit={unit} /> }] : []),
            ]}
          />
        </div>
      )}
      {receipt && <OpenReceipt id={receipt} onClose={() => setReceipt(undefined)} onLine={setReceipt} />}
    </Sheet>
  )
}

type UseProps = { scope: ScopeRowFragment; previous: Parameters<typeof BurnPicture>[0]['previous']; plan: NonNullable<BudgetPeekQuery['console']> | NonNullable<BudgetPeekQuery['copilot']> | null | undefined; minute: Minute; unit: Unit; onReceipt: (id: string) => void }

function Use({ scope, previous, plan, minute, unit, onReceipt }: UseProps) {
  return (
    <div className="flex flex-col gap-6">
      {scope.budget && (
        <div>
          <BurnPicture state={scope.budget.state} series={scope.budget.series} previous={previous} thresholds={scope.budget.thresholds} />
          <p className="mt-3">
            <AtLimit overflow={scope.budget.overflow} unit={unit} />
          </p>
        </div>
      )}
      {minute.spenders.length > 0 && (
        <Part title={t('{{amount}} in the last minute', { amount: moneyWords(minute.amount, unit) })} badge={<LiveBadge />}>
          <ul aria-label={t('Who spent in the last minute')}>
            {minute.spenders.map((s) => (
              <Line key={s.id} name={s.name} note={t('{{count}} calls', { count: s.calls })} amount={money(s.amount, unit)} />
            ))}
          </ul>
        </Part>
      )}
      {plan && (
        <>
          <Part title={t('Who spent in the last 30 days')}>
            <Spenders report={plan.byMember} unit={unit} />
          </Part>
          <Part title={t('On which models')}>
            <Spenders report={plan.byModel} unit={unit} />
          </Part>
          <Part title={t('Latest receipts')}>
            {plan.charges.edges.length === 0 ? (
              <p className="text-muted">{t('No calls yet.')}</p>
            ) : (
              <ul aria-label={t('Latest receipts')}>
                {plan.charges.edges.map(({ node }) => (
                  <Call key={node.id} charge={node} onOpen={onReceipt} />
                ))}
              </ul>
            )}
          </Part>
        </>
      )}
    </div>
  )
}

function Part({ title, badge, children }: { title: string; badge?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1.5 flex items-center gap-2 text-sm font-semibold">
        {title} {badge}
      </h3>
      {children}
    </section>
  )
}

function Line({ name, note, amount }: { name: string; note: string; amount: string }) {
  return (
    <li className="flex items-baseline gap-3 border-b border-line py-1.5 last:border-b-0">
      <span className="min-w-0 grow truncate">{name}</span>
      <span className="num shrink-0 text-xs text-muted">{note}</span>
      <span className="num w-24 shrink-0 text-end font-medium">{amount}</span>
    </li>
  )
}

function Spenders({ report, unit }: { report: SpendRowsFragment; unit: Unit }) {
  if (report.rows.length === 0) return <p className="text-muted">{t('Nothing in the last 30 days.')}</p>
  return (
    <ul>
      {report.rows.map((r) => (
        <Line key={r.id || r.name} name={r.name || t('Without a seat')} note={percent(r.share)} amount={money(r.totals.amount, unit)} />
      ))}
    </ul>
  )
}

/** A call in one line; the whole receipt opens over the panel. */
function Call({ charge, onOpen }: { charge: ChargePartsFragment; onOpen: (id: string) => void }) {
  return (
    <li className="border-b border-line last:border-b-0">
      <button type="button" onClick={() => onOpen(charge.id)} className="flex min-h-8 w-full items-baseline gap-3 rounded-sm py-1.5 text-start hover:bg-hover/60">
        <span className="min-w-0 grow truncate">
          <span className="font-medium">{charge.modelName}</span> <span className="text-muted">{charge.memberName ?? charge.keyName}</span>
        </span>
        {charge.kind !== 'SETTLED' && <Badge tone={chargeKinds[charge.kind].tone}>{chargeKinds[charge.kind].label}</Badge>}
        <time dateTime={charge.at} title={utc(charge.at)} className="shrink-0 text-xs text-muted">
          {ago(charge.at)}
        </time>
        <span className="num w-24 shrink-0 text-end font-medium">{money(charge.amount, charge.unit)}</span>
      </button>
    </li>
  )
}
