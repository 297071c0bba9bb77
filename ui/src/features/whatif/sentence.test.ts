import { expect, it } from 'vitest'
import { type Answer, answerSentence, rangeSentence } from './sentence'

const outcome = { perDay: '31', forecast: '890', forecastLow: '890', forecastHigh: '890', runsOutAt: null as string | null, series: [], seriesLow: [], seriesHigh: [] }
const answer = { unit: 'USD', limit: '1000', users: 4, endsAt: '2026-11-30T12:00:00Z', now: outcome, changed: outcome, models: [] } as unknown as Answer

it('says that nothing changes', () => {
  expect(answerSentence(answer)).toMatch(/^\$31 a day, as it is: \$890 by \D*30\D*; the budget lasts\.$/)
})

it('says what becomes dearer, and when it runs out', () => {
  const changed = { ...outcome, perDay: '62', forecast: '1780', runsOutAt: '2026-11-20T12:00:00Z' }
  expect(answerSentence({ ...answer, changed } as Answer)).toMatch(/^\$62 a day instead of \$31: \$1,780 by .* instead of \$890; the budget runs out on \D*20\D*\.$/)
  expect(answerSentence({ ...answer, limit: null, changed } as Answer)).not.toMatch(/budget/)
})

it('says what the end lies between', () => {
  expect(rangeSentence({ ...answer, changed: { ...outcome, forecastLow: '800', forecastHigh: '980' } } as Answer)).toBe('Four of five times it ends between $800 and $980.')
  expect(rangeSentence({ ...answer, changed: { ...outcome, forecastLow: '890', forecastHigh: '890' } } as Answer)).toMatch(/^Too few days/)
})
