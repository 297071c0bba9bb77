import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react'
import { useClient } from 'urql'
import { toFault } from '@/graphql/fault'
import { BudgetPeekDocument, BudgetRemoveDocument, type ChargePartsFragment, type ScopeRowFragment, type SpendRowsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { Dialog, DialogActions, Sheet } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, count, dateTime, money, moneyWords, percent, utc, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, unitOf } from '@/lib/plane'
import { thisMonth } from '@/lib/range'
import { BudgetAlerts } from '@/features/alerts'
import { useBurn } from './burn'
import { Limit } from './limit'
import { AtLimit, outlook } from './outlook'
import { kindName, named } from './tree'
import { Used } from './used'

const BurnChart = lazy(() => import('./burn-chart'))

type Props = { id: string; plane: Plane; onClose: () => void }

/** Who spent it on what. */
export function BudgetPeek({ id, plane, onClose }: Props) {
  const spenders = useBurn(id)
  const spend = useMemo(() => ({ ...thisMonth(), scopeId: id }), [id])
  const { data, fault, loading, retry } = useRead(BudgetPeekDocument, { ...ask(plane), id, spend })
  const [editing, setEditing] = useState(false)
  const [removing, setRemoving] = useState(false)
  const account = useViewer().account.name
  const scope = data?.node && 'kind' in data.node ? named(data.node as ScopeRowFragment, account) : undefined
  const plan = pick(data)
  const unit = unitOf(plane)

  return (
    <Sheet
      open
      onClose={onClose}
      className="max-w-lg"
      title={scope?.name ?? t('Budget')}
      description={scope && [kindName[scope.kind], scope.location].filter(Boolean).join(' · ')}
    >
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !scope && !fault && <p className="py-8 text-center text-muted">{t("This scope doesn't exist, or you may not see it.")}</p>}
      {scope && (
        <div className="flex flex-col gap-6">
          <section className="flex flex-col gap-3">
            {scope.budget ? (
              <>
                <Used state={scope.budget.state} name={scope.name}>
                  <Limit scope={scope} budget={scope.budget} unit={unit} editing={editing} onEdit={setEditing} allowed={may(scope, 'budget.set')} />
                </Used>
                <p className="text-muted">
                  <span className="font-medium text-fg">{outlook(scope.budget.state)}.</span>{' '}
                  {t('{{rate}} a day; {{held}} held by running calls. Renews {{when}}.', {
                    rate: money(scope.budget.state.perDay, unit),
                    held: money(scope.budget.state.held, unit),
                    when: dateTime(scope.budget.state.endsAt),
                  })}
                </p>
                <Suspense fallback={<div className="h-44" />}>
                  <BurnChart state={scope.budget.state} series={scope.budget.series} />
                </Suspense>
                <div className="flex items-center justify-between gap-2">
                  <AtLimit overflow={scope.budget.overflow} unit={unit} />
                  {may(scope, 'budget.remove') && (
                    <Button variant="ghost" size="sm" onClick={() => setRemoving(true)}>
                      {t('Remove this limit')}
                    </Button>
                  )}
                </div>
              </>
            ) : (
              <p className="text-muted">
                {t('Only the budgets above limit it.')} <Limit scope={scope} budget={null} unit={unit} editing={editing} onEdit={setEditing} allowed={may(scope, 'budget.set')} />
              </p>
            )}
          </section>
          {scope.budget && <BudgetAlerts budgetId={scope.budget.id} />}
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
              <Part title={t('Who spent this month')}>
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
      )}
      {removing && scope?.budget && <RemoveBudget scope={scope} unit={unit} budgetId={scope.budget.id} onClose={() => setRemoving(false)} onRemoved={retry} />}
    </Sheet>
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
  if (report.rows.length === 0) return <p className="text-muted">{t('Nothing this month.')}</p>
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

type RemoveProps = { scope: ScopeRowFragment; unit: Unit; budgetId: string; onClose: () => void; onRemoved: () => void }

function RemoveBudget({ scope, unit, budgetId, onClose, onRemoved }: RemoveProps) {
  const client = useClient()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const remove = async () => {
    setBusy(true)
    const result = await client.mutation(BudgetRemoveDocument, { input: { budgetId } })
    setBusy(false)
    const said = result.error ? toFault(result.error).message : result.data?.budgetRemove.errors[0]?.message
    if (said) return setError(said)
    toast(t('{{name}} has no limit of its own now', { name: scope.name }))
    onRemoved()
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Remove the limit of {{name}}?', { name: scope.name })}>
      <p>{t('{{name}} may then spend whatever the budgets above have left, instead of {{limit}} a cycle. What was spent stays on the books.', { name: scope.name, limit: moneyWords(scope.budget?.limit ?? '0', unit) })}</p>
      {error && (
        <p role="alert" className="mt-3 text-bad">
          {error}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>{t('Keep it')}</Button>
        <Button variant="danger" busy={busy} onClick={remove}>
          {t('Remove limit')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
