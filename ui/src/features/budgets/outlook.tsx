import { CalendarX2, Snowflake, TrendingUp, TriangleAlert } from 'lucide-react'
import type { BudgetStatus, StatePartsFragment } from '@/graphql/generated/graphql'
import { Badge, type Tone } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { about, days, daysUntil, money, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

/** How loud a state is; the state itself is the server's. */
export const tone: Record<BudgetStatus, 'ok' | 'high' | 'warn' | 'bad'> = {
  OK: 'ok',
  PACE_HIGH: 'high',
  RUNS_OUT: 'warn',
  BLOCKED: 'bad',
  OVER_ALLOWED: 'bad',
}

/** What is to be expected, in a few words, and what follows from it. */
function words(state: StatePartsFragment): [what: string, more?: string] {
  if (state.frozenAt) return [t('Frozen')]
  const left = t('{{amount}} left at the end', { amount: about(atEnd(state), state.unit) })
  switch (state.status) {
    case 'BLOCKED':
      return [t('Blocked now')]
    case 'OVER_ALLOWED':
      return [t('Over the limit')]
    case 'RUNS_OUT':
      if (!state.runsOutAt) return [t('Runs out')]
      return [t('Runs out {{days}}', { days: days(state.runsOutEarliest ?? state.runsOutAt, state.runsOutLatest ?? state.runsOutAt) }), lasts(state.runsOutAt)]
    case 'PACE_HIGH':
      return [t('Lasts, just'), left]
    default:
      return [left]
  }
}

/** The same in one line. */
export const outlook = (state: StatePartsFragment) => words(state).join(', ')

function lasts(until: string): string {
  const left = daysUntil(until)
  if (left < 1) return t('within a day')
  return left === 1 ? t('in about 1 day') : t('in about {{count}} days', { count: left })
}

// An estimate to be read, never reckoned with.
const atEnd = (s: StatePartsFragment) => Math.max(0, Number(s.limit) + Number(s.overflow) - Number(s.forecast))

const looks = { ok: 'text-muted', high: 'text-warn', warn: 'font-medium text-warn', bad: 'font-medium text-bad' }
const icons = { ok: undefined, high: TrendingUp, warn: CalendarX2, bad: TriangleAlert }

export function Outlook({ state }: { state: StatePartsFragment }) {
  const [what, more] = words(state)
  return (
    <span className={cx('inline-flex items-start gap-1.5', looks[tone[state.status]])} title={state.runsOutAt ? utc(state.runsOutAt) : undefined}>
      <Sign state={state} className="mt-0.5 size-3.5 shrink-0" />
      <span>
        {what}
        {more && <span className="block text-xs font-normal text-muted">{more}</span>}
      </span>
    </span>
  )
}

/** The outlook as a sign, for what isn't simply fine; `spoken` where no words stand beside it. */
export function Sign({ state, className, spoken }: { state: StatePartsFragment; className: string; spoken?: boolean }) {
  const Icon = state.frozenAt ? Snowflake : icons[tone[state.status]]
  return Icon ? <Icon {...(spoken ? { role: 'img', 'aria-label': outlook(state) } : { 'aria-hidden': true })} className={className} /> : null
}

/** What happens when the budget is used up. */
export function AtLimit({ overflow, unit }: { overflow: string; unit: StatePartsFragment['unit'] }) {
  const none = !/[1-9]/.test(overflow)
  const look: Tone = none ? 'plain' : 'accent'
  return <Badge tone={look}>{none ? t('Hard stop') : t('{{amount}} overflow', { amount: money(overflow, unit) })}</Badge>
}
