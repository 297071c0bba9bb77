import { expect, it } from 'vitest'
import { exportHref } from './export'
import { barAt, between, spanOf, sum } from './span'

const now = new Date('2026-11-30T10:17:23Z')

it('ends a preset with the running bar, and cuts it into equal ones', () => {
  expect(spanOf({ range: '24h' }, now)).toEqual({ from: '2026-11-29T10:30:00.000Z', to: '2026-11-30T10:30:00.000Z', buckets: 48, preset: '24h' })
  expect(spanOf({ range: '1h' }, now)).toMatchObject({ from: '2026-11-30T09:18:00.000Z', to: '2026-11-30T10:18:00.000Z', buckets: 60 })
})

it('takes thirty days for what it does not know', () => {
  expect(spanOf({ range: 'for ever' }, now).preset).toBe('30d')
  expect(spanOf({ from: 'yesterday', to: 'today' }, now).preset).toBe('30d')
  expect(spanOf({ from: '2026-11-30T10:00:00Z', to: '2026-11-30T10:00:00Z' }, now).preset).toBe('30d')
})

it('takes a range from the address, with bars no shorter than a second', () => {
  expect(spanOf({ from: '2026-11-30T10:00:00Z', to: '2026-11-30T10:00:05Z', range: '1h' }, now)).toEqual({ from: '2026-11-30T10:00:00.000Z', to: '2026-11-30T10:00:05.000Z', buckets: 5 })
  expect(spanOf({ from: '2026-11-30T10:00:00Z', to: '2026-11-30T11:00:00Z' }, now).buckets).toBe(60)
})

const h = {
  to: 't3',
  buckets: [
    { from: 't0', done: 1, refused: 0 },
    { from: 't1', done: 2, refused: 5 },
    { from: 't2', done: 4, refused: 0 },
  ],
}

it('spans bars whichever way they were drawn, to the end of the last', () => {
  expect(between(h, 0, 1)).toEqual({ from: 't0', to: 't2' })
  expect(between(h, 2, 1)).toEqual({ from: 't1', to: 't3' })
  expect(sum(h, 2, 1)).toEqual({ done: 6, refused: 5 })
})

it('finds the bar under the pointer, also at the edges', () => {
  expect([-0.1, 0, 0.34, 0.99, 1, 1.2].map((share) => barAt(share, 3))).toEqual([0, 0, 1, 2, 2, 2])
})

it('hands the filters as they stand to the export, and the narrower scope', () => {
  expect(exportHref('acc_1', 'csv', { action: 'budget', actorId: 'usr_1', search: 'a&b', outcome: 'REFUSED', from: '2026-11-30T10:00:00.000Z' })).toBe(
    '/export/audit?scope=acc_1&format=csv&action=budget&actorId=usr_1&search=a%26b&outcome=REFUSED&from=2026-11-30T10%3A00%3A00.000Z',
  )
  expect(exportHref('acc_1', 'ndjson', { scopeId: 'team_1' })).toBe('/export/audit?scope=team_1&format=ndjson')
})
