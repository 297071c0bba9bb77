import { describe, expect, it } from 'vitest'
import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { cumulative, totals } from './cumulative'
import { burnSentence } from './sentence'

const state = {
  budgetId: 'b', scopeId: 's', unit: 'USD', spent: '412.5', held: '0', limit: '1000', overflow: '0', remaining: '587.5', usedPercent: 41, elapsedPercent: 40,
  startsAt: '2026-11-01T00:00:00Z', endsAt: '2026-12-01T00:00:00Z', perDay: '31', forecast: '890', forecastLow: '820', forecastHigh: '960', status: 'OK', revision: 1,
} as StatePartsFragment

describe('burnSentence', () => {
  it('says that it lasts, and between what', () => {
    expect(burnSentence(state)).toBe('$412.50 of $1,000.00 spent, $31 a day. It lasts: about $890 by the end, between $820 and $960.')
  })
  it('says when it runs out, early and late', () => {
    const out = { ...state, status: 'RUNS_OUT', runsOutAt: '2026-11-23T12:00:00Z', runsOutEarliest: '2026-11-21T12:00:00Z', runsOutLatest: '2026-11-26T12:00:00Z' } as StatePartsFragment
    expect(burnSentence(out)).toMatch(/It runs out on \D*23\D*, between \D*21\D* and \D*26\D*\./)
    expect(burnSentence({ ...out, runsOutLatest: null })).toMatch(/at the earliest, and it may last\.$/)
    expect(burnSentence({ ...out, runsOutEarliest: out.runsOutAt, runsOutLatest: null } as StatePartsFragment)).toMatch(/; on good days it lasts\.$/)
    expect(burnSentence({ ...state, runsOutEarliest: '2026-11-28T12:00:00Z' } as StatePartsFragment)).toMatch(/On bad days it runs out on/)
  })
  it('says that calls are refused', () => {
    expect(burnSentence({ ...state, status: 'BLOCKED' })).toMatch(/calls are refused/)
  })
})

describe('running totals', () => {
  it('never pass what is spent', () => {
    expect(cumulative([{ amount: '9' }, { amount: '2' }, { amount: '1' }], '10')).toEqual([0, 9, 10, 10])
  })
  it('add up the days of the cycle before', () => {
    expect(totals([{ amount: '1' }, { amount: '2' }])).toEqual([0, 1, 3])
  })
})
