import type { ForecastWhatIfQuery } from '@/graphql/generated/graphql'
import { about, day } from '@/lib/format'
import { t } from '@/lib/i18n'

export type Answer = NonNullable<ForecastWhatIfQuery['forecastWhatIf']>

/** What would be, against what is, in one sentence. */
export function answerSentence(a: Answer): string {
  const amount = (n: string) => about(Number(n), a.unit)
  const end = day(a.endsAt)
  const rate = a.now.perDay === a.changed.perDay ? t('{{rate}} a day, as it is: {{forecast}} by {{end}}', { rate: amount(a.changed.perDay), forecast: amount(a.changed.forecast), end }) : t('{{rate}} a day instead of {{now}}: {{forecast}} by {{end}} instead of {{was}}', { rate: amount(a.changed.perDay), now: amount(a.now.perDay), forecast: amount(a.changed.forecast), was: amount(a.now.forecast), end })
  return `${rate}${out(a)}.`
}

/** What the end lies between, as days differ. */
export function rangeSentence(a: Answer): string {
  const amount = (n: string) => about(Number(n), a.unit)
  if (a.changed.forecastLow === a.changed.forecastHigh) return t('Too few days so far to say how far off that may be.')
  return t('Four of five times it ends between {{low}} and {{high}}.', { low: amount(a.changed.forecastLow), high: amount(a.changed.forecastHigh) })
}

function out(a: Answer): string {
  if (a.limit === null || a.limit === undefined) return ''
  if (a.changed.runsOutAt && a.now.runsOutAt) return t('; the budget runs out on {{day}} instead of {{was}}', { day: day(a.changed.runsOutAt), was: day(a.now.runsOutAt) })
  if (a.changed.runsOutAt) return t('; the budget runs out on {{day}}', { day: day(a.changed.runsOutAt) })
  if (a.now.runsOutAt) return t('; the budget lasts')
  return Number(a.changed.forecast) > Number(a.limit) ? '' : t('; the budget lasts')
}
