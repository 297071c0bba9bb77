import { render, screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { Outlook, outlook } from './outlook'

const inDays = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString()

const state = {
  budgetId: 'b', scopeId: 's', unit: 'USD', spent: '412.5', held: '0', limit: '1000', overflow: '0', remaining: '587.5', forecast: '960', status: 'OK', revision: 1,
} as StatePartsFragment

it('says between which days it runs out, and in how many', () => {
  const out = { ...state, status: 'RUNS_OUT', runsOutAt: '2026-11-23T12:00:00Z', runsOutEarliest: '2026-11-20T12:00:00Z', runsOutLatest: '2026-11-26T12:00:00Z' } as StatePartsFragment
  expect(outlook(out)).toMatch(/^Runs out \D*20\D+26\D*, within a day$/)
  expect(outlook({ ...out, runsOutEarliest: null, runsOutLatest: null })).toMatch(/^Runs out \D*23\D*, within a day$/)
  render(<Outlook state={{ ...out, runsOutAt: inDays(8) }} />)
  expect(screen.getByText('in about 8 days')).toBeVisible()
})

it('tells a pace that is high from one that is fine, not by its colour alone', () => {
  const high = { ...state, status: 'PACE_HIGH' } as StatePartsFragment
  expect(outlook(state)).toBe('$40 left at the end')
  expect(outlook(high)).toBe('Lasts, just, $40 left at the end')
  const { container: fine } = render(<Outlook state={state} />)
  expect(fine.querySelector('svg')).toBeNull()
  const { container: close } = render(<Outlook state={high} />)
  expect(close.querySelector('svg')).not.toBeNull()
})
