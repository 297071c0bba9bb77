import { t } from './i18n'

export type Range = '7d' | '30d' | '90d'

export const ranges: readonly { value: Range; label: string }[] = [
  { value: '7d', label: t('7 days') },
  { value: '30d', label: t('30 days') },
  { value: '90d', label: t('90 days') },
]

export const rangeOf = (text: string | undefined, otherwise: Range = '30d'): Range => ranges.find((r) => r.value === text)?.value ?? otherwise

/** Whole UTC days, today the last of them. */
export function span(range: Range, now = new Date()): { from: string; to: string } {
  const to = new Date(now)
  to.setUTCHours(24, 0, 0, 0)
  const from = new Date(to)
  from.setUTCDate(from.getUTCDate() - Number.parseInt(range, 10))
  return { from: from.toISOString(), to: to.toISOString() }
}

/** Today in UTC. */
export function today(now = new Date()): { from: string; to: string } {
  const from = new Date(now)
  from.setUTCHours(0, 0, 0, 0)
  const to = new Date(now)
  to.setUTCHours(24, 0, 0, 0)
  return { from: from.toISOString(), to: to.toISOString() }
}
