import { useState } from 'react'
import { BudgetHistoryDocument, type BudgetHistoryQuery } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { changeValue } from '@/features/audit'
import { ago, dateTime, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

type Budget = Extract<NonNullable<BudgetHistoryQuery['node']>, { history?: unknown }>
type Event = NonNullable<Budget['history']>['edges'][number]['node']

const acts: Record<string, string> = {
  'budget.set': t('changed it'),
  'budget.remove': t('removed the limit'),
  'budget.increase': t('raised it for a while'),
  'budget.increaseEnd': t('took an increase back'),
  'budget.move': t('moved budget'),
  'budget.share': t('changed the shares of it'),
  'budget.freeze': t('froze it'),
  'budget.resume': t('let it go on after a freeze'),
  'budget.renew': t('renewed it by hand'),
}

/** Who changed a budget, and how, newest first. */
export function History({ budgetId, unit }: { budgetId: string; unit: Unit }) {
  const [after, setAfter] = useState<string>()
  const [earlier, setEarlier] = useState<readonly Event[]>([])
  const { data, fault, loading, fetching, retry } = useRead(BudgetHistoryDocument, { id: budgetId, after })
  const history = data?.node && 'history' in data.node ? data.node.history : undefined
  if (fault) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonRows rows={5} />
  if (!history) return <p className="text-muted">{t('Who changes budgets stands in the audit log, which you may not read.')}</p>
  const events = [...earlier, ...history.edges.map((e) => e.node).filter((e) => !earlier.includes(e))]
  if (events.length === 0) return <p className="text-muted">{t('Nobody has changed it yet.')}</p>
  const next = history.pageInfo.hasNextPage ? history.pageInfo.endCursor : undefined
  return (
    <>
      <ol className="relative ms-1.5 border-s border-line">
        {events.map((e) => (
          <li key={e.id} className="relative py-2 ps-5">
            <span aria-hidden className="absolute -start-1 top-4 size-2 rounded-full bg-accent ring-4 ring-raised" />
            <p className="flex items-baseline gap-2">
              <span className="min-w-0 grow">
                <span className="font-medium">{e.actorName}</span> {acts[e.action] ?? e.action}
              </span>
              <time dateTime={e.at} title={dateTime(e.at)} className="shrink-0 text-xs text-muted">
                {ago(e.at)}
              </time>
            </p>
            <ul className="text-xs">
              {e.changes.filter((c) => c.field in labels).map((c) => (
                <li key={c.field} className="flex flex-wrap items-baseline gap-x-1.5 text-muted">
                  <span>{labels[c.field]}</span>
                  <span className="num">
                    {c.before !== null && c.before !== undefined && `${shown(c, c.before, unit)} → `}
                    <span className="font-medium text-fg">{c.after === null || c.after === undefined ? t('none') : shown(c, c.after, unit)}</span>
                  </span>
                </li>
              ))}
            </ul>
            {why(e) && <p className="mt-0.5 text-xs text-muted">“{why(e)}”</p>}
          </li>
        ))}
      </ol>
      {next && (
        <Button
          variant="ghost"
          size="sm"
          className="mt-2 w-full"
          busy={fetching}
          onClick={() => {
            setEarlier(events)
            setAfter(next)
          }}
        >
          {t('Show more')}
        </Button>
      )}
    </>
  )
}

/** Why it was done, in the words of whoever did it; a freeze keeps its own. */
function why(e: Event): string | null | undefined {
  const freeze = e.changes.find((c) => c.field === 'freeze_reason')?.after
  return freeze ? (JSON.parse(freeze) as string) : e.reason
}

const labels: Record<string, string> = {
  limit: t('limit'),
  overflow: t('overflow'),
  reserve: t('reserve'),
  raised: t('raised by'),
  endsAt: t('until'),
  until: t('until'),
  origin: t('comes from'),
  distribution: t('reaches those below as'),
  budgetsBelow: t('budgets that follow'),
  cycle: t('renews'),
  cycleDay: t('on day'),
  share: t('each share'),
  shares: t('shares'),
  changed: t('budgets that changed'),
  rolloverCap: t('rollover cap'),
  strict: t('strict'),
  thresholds: t('alerts at %'),
  from: t('from'),
  to: t('to'),
  freeze_reason: t('why'),
}

const words: Record<string, string> = { SET: t('an admin'), SHARE: t('an equal share'), POOL: t('a pool'), EQUAL: t('equal shares') }

function shown(change: Event['changes'][number], json: string, unit: Unit): string {
  if (change.field === 'endsAt' || change.field === 'until') return dateTime(JSON.parse(json) as string)
  const text = changeValue(change, json, unit)
  return words[text] ?? text
}
