import { Snowflake, TriangleAlert } from 'lucide-react'
import type { BudgetStatus, StatePartsFragment } from '@/graphql/generated/graphql'
import { Badge, type Tone } from '@/kit/badge'
import { about, day, money, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

/** How loud a state is; the state itself is the server's. */
export const tone: Record<BudgetStatus, 'ok' | 'warn' | 'bad'> = {
  OK: 'ok',
  PACE_HIGH: 'ok',
  RUNS_OUT: 'warn',
  BLOCKED: 'bad',
  OVER_ALLOWED: 'bad',
}

/** What is to be expected, in words. */
export function outlook(state: StatePartsFragment): string {
  if (state.frozenAt) return t('Frozen')
  switch (state.status) {
    case 'BLOCKED':
      return t('Blocked now')
    case 'OVER_ALLOWED':
      return t('Over the limit')
    case 'RUNS_OUT':
      return state.runsOutAt ? t('Runs out {{day}}', { day: day(state.runsOutAt) }) : t('Runs out')
    default:
      return t('{{amount}} left at the end', { amount: about(atEnd(state), state.unit) })
  }
}

// An estimate to be read, never reckoned with.
const atEnd = (s: StatePartsFragment) => Math.max(0, Number(s.limit) + Number(s.overflow) - Number(s.forecast))

export function Outlook({ state }: { state: StatePartsFragment }) {
  const how = tone[state.status]
  return (
    <span className={how === 'ok' ? 'text-muted' : how === 'warn' ? 'font-medium text-warn' : 'inline-flex items-center gap-1.5 font-medium text-bad'} title={state.runsOutAt ? utc(state.runsOutAt) : undefined}>
      {state.frozenAt && <Snowflake aria-hidden className="size-3.5" />}
      {how === 'bad' && !state.frozenAt && <TriangleAlert aria-hidden className="size-3.5" />}
      {outlook(state)}
    </span>
  )
}

/** What happens when the budget is used up. */
export function AtLimit({ overflow, unit }: { overflow: string; unit: StatePartsFragment['unit'] }) {
  const none = !/[1-9]/.test(overflow)
  const look: Tone = none ? 'plain' : 'accent'
  return <Badge tone={look}>{none ? t('Hard stop') : t('{{amount}} overflow', { amount: money(overflow, unit) })}</Badge>
}
