import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { about, day, money, moneyWords } from '@/lib/format'
import { t } from '@/lib/i18n'

/** Where a budget is and where it leads to, in one sentence or two. */
export function burnSentence(s: StatePartsFragment): string {
  const so = t('{{spent}} of {{limit}} spent, {{rate}} a day.', { spent: money(s.spent, s.unit), limit: moneyWords(s.limit, s.unit), rate: about(Number(s.perDay), s.unit) })
  return `${so} ${whither(s)}`
}

function whither(s: StatePartsFragment): string {
  if (s.status === 'BLOCKED') return t('Nothing is left: calls are refused until it renews or is raised.')
  if (s.status === 'OVER_ALLOWED') return t('It is over its limit and spends its overflow.')
  if (s.runsOutAt) {
    const [early, late] = [s.runsOutEarliest && day(s.runsOutEarliest), s.runsOutLatest && day(s.runsOutLatest)]
    const at = day(s.runsOutAt)
    if (early && late && early !== late) return t('It runs out on {{day}}, between {{early}} and {{late}}.', { day: at, early, late })
    if (early && !late && early === at) return t('It runs out on {{day}}; on good days it lasts.', { day: at })
    if (early && !late) return t('It runs out on {{day}}; {{early}} at the earliest, and it may last.', { day: at, early })
    return t('It runs out on {{day}}.', { day: at })
  }
  const [forecast, low, high] = [s.forecast, s.forecastLow, s.forecastHigh].map((n) => about(Number(n), s.unit)) as [string, string, string]
  if (s.runsOutEarliest) return t('It should last: about {{forecast}} by the end. On bad days it runs out on {{day}}.', { forecast, day: day(s.runsOutEarliest) })
  if (low === high) return t('It lasts: about {{forecast}} by the end.', { forecast })
  return t('It lasts: about {{forecast}} by the end, between {{low}} and {{high}}.', { forecast, low, high })
}
