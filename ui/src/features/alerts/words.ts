import type { AlertPartsFragment } from '@/graphql/generated/graphql'
import { day, money, moneyWords } from '@/lib/format'
import { t } from '@/lib/i18n'

type Alert = Pick<AlertPartsFragment, 'kind' | 'threshold' | 'unit' | 'limit' | 'spent' | 'forecast' | 'runsOutAt'>

/** What fired, in a few words. */
export const what = (a: Alert) =>
  a.kind === 'FORECAST' ? t('Will run out') : (a.threshold ?? 0) >= 100 ? t('Used up') : t('{{percent}}% used', { percent: a.threshold ?? 0 })

/** How things stood then. */
export function standing(a: Alert): string {
  const spent = t('{{spent}} of {{limit}}', { spent: money(a.spent, a.unit), limit: moneyWords(a.limit, a.unit) })
  if (a.kind !== 'FORECAST') return spent
  const forecast = t('{{amount}} expected', { amount: moneyWords(a.forecast, a.unit) })
  return a.runsOutAt ? t('{{spent}}, {{forecast}}, gone on {{when}}', { spent, forecast, when: day(a.runsOutAt) }) : `${spent}, ${forecast}`
}

export const toneOf = (a: Alert) => (a.kind === 'FORECAST' ? 'warn' : (a.threshold ?? 0) >= 100 ? 'bad' : 'warn')
