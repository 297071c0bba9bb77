import { Link } from '@tanstack/react-router'
import { ArrowRightLeft, Ellipsis, Equal, HandCoins, SlidersHorizontal, TrendingUp, Undo2 } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { BudgetPeekDocument, type BudgetPeekQuery, type ChargePartsFragment, type ScopeRowFragment, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Menu, MenuItem } from '@/kit/menu'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { ago, dateTime, money, moneyWords, percent, utc, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, slugOf, unitOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { BudgetAlerts } from '@/features/alerts'
import { BurnPicture } from '@/features/burn'
import { BudgetControls } from '@/features/statements'
import { chargeKinds, OpenReceipt } from '@/features/usage'
import { type Act, actsOn, overridesShare, parentOf, useActs } from './actions'
import { type Minute, useBurn } from './burn'
import { Limit } from './limit'
import { AtLimit } from './outlook'
import { History } from './history'
import { Increases } from './increases'
import { Marks } from './marks'
import { kindName, named } from './kinds'
import { type Row } from './tree'
import { Why } from './why'
import { Used } from './used'

type Props = { id: string; plane: Plane; rows?: readonly Row[]; onClose: () => void }

const none: readonly Row[] = []

/** Who spent it on what, where its numbers come from, and who changed them. */
export function BudgetPeek({ id, plane, rows = none, onClose }: Props) {
  const minute = useBurn(id, { minute: true })
  const spend = useMemo(() => ({ ...span('30d'), scopeId: id }), [id])
  const { data, fault, loading, retry } = useRead(BudgetPeekDocument, { ...ask(plane), id, spend })
  const [editing, setEditing] = useState(false)
  const [receipt, setReceipt] = useState<string>()
  const [tab, setTab] = useState<'use' | 'why' | 'history'>('use')
  const { account } = useViewer()
  const scope = data?.node && 'kind' in data.node ? named(data.node as ScopeRowFragment, account.name) : undefined
  const previous = data?.node && 'budget' in data.node ? data.node.budget?.previousSeries : undefined
  const plan = pick(data)
  const unit = unitOf(plane)
  const acts = useActs(rows, unit)
  const row: Row | undefined = scope && (rows.find((r) => r.id === id) ?? Object.assign({ level: 1, open: null, posInSet: 1, setSize: 1 }, scope))

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
          <section className="flex flex-col gap-3">
            {scope.budget ? (
              <>
                <div className="flex flex-wrap gap-1.5 empty:hidden">
                  <Marks budget={scope.budget} overrides={overridesShare(row, parentOf(row, rows))} unit={unit} />
                </div>
                <Used state={scope.budget.state} name={scope.name}>
                  <Limit scope={scope} budget={scope.budget} unit={unit} editing={editing} onEdit={setEditing} allowed={may(scope, 'budget.set')} />
                </Used>
                <p className="text-muted">
                  {t('{{held}} held by running calls. Renews {{when}}.', {
                    held: money(scope.budget.state.held, unit),
                    when: isManual(scope.budget.state) ? t('by hand') : dateTime(scope.budget.state.endsAt),
                  })}{' '}
                  <Link to="/a/$account/$plane/statements" params={{ account: account.slug, plane: slugOf(plane) }} search={{ scope: scope.id }} className="font-medium text-accent-text hover:underline">
                    {t('Statements')}
                  </Link>
                </p>
                <Increases budget={scope.budget} unit={unit} allowed={may(scope, 'budget.set')} />
                <BudgetControls budgetId={scope.budget.id} name={scope.name} more={<More row={row} rows={rows} onAct={(act) => acts.start(act, row)} />}>
                  <Acts row={row} rows={rows} onAct={(act) => acts.start(act, row)} />
                </BudgetControls>
              </>
            ) : (
              <p className="text-muted">
                {t('Only the budgets above limit it.')} <Limit scope={scope} budget={null} unit={unit} editing={editing} onEdit={setEditing} allowed={may(scope, 'budget.set')} />
                {actsOn(row, rows).ask && (
                  <Button size="sm" className="mt-2 flex" onClick={() => acts.start('ask', row)}>
                    <HandCoins aria-hidden /> {t('Request more')}
                  </Button>
                )}
              </p>
            )}
          </section>
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
      {acts.dialog}
      {receipt && <OpenReceipt id={receipt} onClose={() => setReceipt(undefined)} onLine={setReceipt} />}
    </Sheet>
  )
}

type ActsProps = { row: Row; rows: readonly Row[]; onAct: (act: Act) => void }

/** The row's actions, where there is no row beside to hold them. */
function Acts({ row, rows, onAct }: ActsProps) {
  const can = actsOn(row, rows)
  return (
    <>
      {can.ask && (
        <Button size="sm" onClick={() => onAct('ask')}>
          <HandCoins aria-hidden /> {t('Request more')}
        </Button>
      )}
      {can.raise && (
        <Button size="sm" onClick={() => onAct('raise')}>
          <TrendingUp aria-hidden /> {t('Raise for a while')}
        </Button>
      )}
      {can.share && (
        <Button size="sm" onClick={() => onAct('share')}>
          <Equal aria-hidden /> {t('Share out')}
        </Button>
      )}
      {can.settings && (
        <Button size="sm" onClick={() => onAct('settings')}>
          <SlidersHorizontal aria-hidden /> {t('Settings')}
        </Button>
      )}
    </>
  )
}

/** What is done seldom, behind one button. */
function More({ row, rows, onAct }: ActsProps) {
  const can = actsOn(row, rows)
  const overrides = overridesShare(row, parentOf(row, rows))
  if (!can.move && !can.remove) return null
  return (
    <Menu
      trigger={
        <Button size="sm" variant="ghost" className="px-2" aria-label={t('More actions')}>
          <Ellipsis aria-hidden />
        </Button>
      }
    >
      {can.move && (
        <MenuItem onClick={() => onAct('move')}>
          <ArrowRightLeft aria-hidden /> {t('Move budget')}
        </MenuItem>
      )}
      {can.remove && (
        <MenuItem danger={!overrides} onClick={() => onAct('remove')}>
          <Undo2 aria-hidden /> {overrides ? t('Remove override') : t('Remove limit')}
        </MenuItem>
      )}
    </Menu>
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

// A cycle that is renewed by hand ends at the end of time.
const isManual = (state: { endsAt: string }) => new Date(state.endsAt).getUTCFullYear() === 9999
