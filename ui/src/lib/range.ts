import { t } from './i18n'
import { addDays, dateIn, startOf } from './zone'

export type Range = '7d' | '30d' | '90d'

export const ranges: readonly { value: Range; label: string }[] = [
  { value: '7d', label: t('7 days') },
  { value: '30d', label: t('30 days') },
  { value: '90d', label: t('90 days') },
]

export const rangeOf = (text: string | undefined, otherwise: Range = '30d'): Range => ranges.find((r) => r.value === text)?.value ?? otherwise

/** The days from one date to another, both whole, in a time zone. */
export const between = (first: string, last: string, timeZone: string) => ({ from: startOf(first, timeZone).toISOString(), to: startOf(addDays(last, 1), timeZone).toISOString() })

/** Whole days of a time zone, today the last of them. */
export function span(range: Range, timeZone = 'UTC', now = new Date()): { from: string; to: string } {
  const last = dateIn(now, timeZone)
  return between(addDays(last, 1 - Number.parseInt(range, 10)), last, timeZone)
}

/** Today in a time zone. */
export function today(timeZone: string, now = new Date()): { from: string; to: string } {
  const date = dateIn(now, timeZone)
  return between(date, date, timeZone)
}
