import { t } from './i18n'

export type SpanUnit = 'minutes' | 'hours' | 'days'

const sizes: Record<SpanUnit, number> = { minutes: 1, hours: 60, days: 1440 }

/** Minutes in the largest unit that tells them whole: 1440 → 1 day, 90 → 90 minutes. */
export function splitMinutes(minutes: number): { amount: number; unit: SpanUnit } {
  const unit = minutes > 0 && minutes % sizes.days === 0 ? 'days' : minutes > 0 && minutes % sizes.hours === 0 ? 'hours' : 'minutes'
  return { amount: minutes / sizes[unit], unit }
}

/** Back to minutes; null for what isn't a whole number. */
export const joinMinutes = (amount: string, unit: SpanUnit): number | null => (/^\d{1,6}$/.test(amount.trim()) ? Number(amount.trim()) * sizes[unit] : null)

/** "12 hours". */
export function minutesWords(minutes: number): string {
  const { amount, unit } = splitMinutes(minutes)
  return unit === 'days' ? t('{{count}} days', { count: amount }) : unit === 'hours' ? t('{{count}} hours', { count: amount }) : t('{{count}} minutes', { count: amount })
}
