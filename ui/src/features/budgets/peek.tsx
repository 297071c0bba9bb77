import { Link } from '@tanstack/react-router'
import { ArrowRightLeft, Ellipsis, Equal, HandCoins, SlidersHorizontal, TrendingUp, Undo2 } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { BudgetPeekDocument, type BudgetPeekQuery, type ChargePartsFragment, type ScopeRowFragment, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { Sheet } from '@/kit/dialog'
import { Menu, MenuItem } from '@/kit/menu'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { ago, count, dateTime, money, moneyWords, percent, utc, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, slugOf, unitOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { BudgetAlerts } from '@/features/alerts'
import { BurnPicture } from '@/features/burn'
import { BudgetControls } from '@/features/statements'
import { type Act, actsOn, overridesShare, parentOf, useActs } from './actions'
import { useBurn } from './burn'
import { Limit } from './limit'
import { AtLimit } from './outlook'
import { History } from './history'
import { Increases } from './increases'
import { Marks } from './marks'
import { kindName, named, type Row } from './tree'
import { Why } from './why'
import { Used } from './used'

type Props = { id: string; plane: Plane; rows?: readonly Row[]; onClose: () => void }

const none: readonly Row[] = []

/** Who spent it on what, where its numbers come from, and who changed them. */
export function BudgetPeek({ id, plane, rows = none, onClose }: Props) {
  const spenders = useBurn(id)
  const { account } = useViewer()
  const spend = useMemo(() => ({ ...span('30d', account.timeZone), scopeId: id }), [id, account.timeZone])
  const { data, fault, loading, retry } = useRead(BudgetPeekDocument, { ...ask(plane), id, spend })
  const [editing, setEditing] = useState(false)
  const [tab, setTab] = useState<'use' | 'why' | 'history'>('use')
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
              { value: 'use', label: t('Use'), content: <Use scope={scope} previous={previous} plan={plan} spenders={spenders} unit={unit} /> },
              { value: 'why', label: t('Where it comes from'), content: <Why id={id} unit={unit} /> },
              ...(scope.budget ? [{ value: 'history' as const, label: t('History'), content: <History budgetId={scope.budget.id} unit={unit} /> }] : []),
            ]}
          />
        </div>
      )}
      {acts.dialog}
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

type UseProps = { scope: ScopeRowFragment; previous: Parameters<typeof BurnPicture>[0]['previous']; plan: NonNullable<BudgetPeekQuery['console']> | NonNullable<BudgetPeekQuery['copilot']> | null | undefined; spenders: ReturnType<typeof useBurn>; unit: Unit }

function Use({ scope, previous, plan, spenders, unit }: UseProps) {
  return (
    <div className="flex flex-col gap-6">
      {scope.budget && (
        <div>
          <BurnPicture state={scope.budget.state} series={scope.budget.series} previous={previous} />
          <p className="mt-3">
            <AtLimit overflow={scope.budget.overflow} unit={unit} />
          </p>
        </div>
      )}
      {spenders.length > 0 && (
        <Part title={t('Spending in the last minute')} badge={<LiveBadge />}>
          <ul>
            {spenders.map((s) => (
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
              <ul>
                {plan.charges.edges.map(({ node }) => (
                  <Receipt key={node.id} charge={node} />
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

function Receipt({ charge }: { charge: ChargePartsFragment }) {
  const tokens = [
    [t('input'), charge.inputTokens],
    [t('cached'), charge.cachedInputTokens],
    [t('cache write'), charge.cacheWriteTokens],
    [t('output'), charge.outputTokens],
    [t('reasoning'), charge.reasoningTokens],
  ] as const
  return (
    <li className="border-b border-line last:border-b-0">
      <details className="group">
        <summary className="flex min-h-8 cursor-pointer list-none items-baseline gap-3 rounded-sm py-1.5 hover:bg-hover/60">
          <span className="min-w-0 grow truncate">
            <span className="font-medium">{charge.modelName}</span> <span className="text-muted">{charge.memberName ?? charge.keyName}</span>
          </span>
          {charge.kind !== 'SETTLED' && <Badge tone="warn">{charge.kind === 'IN_DOUBT' ? t('In doubt') : charge.kind === 'LATE' ? t('Late') : t('Adjusted')}</Badge>}
          <time dateTime={charge.at} title={utc(charge.at)} className="shrink-0 text-xs text-muted">
            {ago(charge.at)}
          </time>
          <span className="num w-24 shrink-0 text-end font-medium">{money(charge.amount, charge.unit)}</span>
        </summary>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 pb-2 text-xs text-muted">
          <dt>{t('Tokens')}</dt>
          <dd className="num">
            {tokens
              .filter(([, n]) => n > 0)
              .map(([name, n]) => `${count(n)} ${name}`)
              .join(', ')}
          </dd>
          <dt>{t('Paid by')}</dt>
          <dd>{[charge.location, charge.memberName, charge.keyName].filter(Boolean).join(' / ')}</dd>
          <dt>{t('Held')}</dt>
          <dd className="num">{moneyWords(charge.held, charge.unit)}</dd>
          <dt>{t('Took')}</dt>
          <dd className="num">{t('{{ms}} ms', { ms: count(charge.latencyMs) })}</dd>
          <dt>{t('Request')}</dt>
          <dd className="flex items-center gap-1">
            <code className="font-mono">{charge.requestId}</code>
            <CopyButton compact text={charge.requestId} label={t('Copy request id')} />
          </dd>
        </dl>
      </details>
    </li>
  )
}

// A cycle that is renewed by hand ends at the end of time.
const isManual = (state: { endsAt: string }) => new Date(state.endsAt).getUTCFullYear() === 9999
