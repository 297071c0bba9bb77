import { expect, it } from 'vitest'
import { rangeOf, span, today } from './range'
import { dateIn, startOf } from './zone'

it('spans whole days with today as the last', () => {
  const now = new Date('2026-03-01T15:30:00Z')
  expect(span('7d', 'UTC', now)).toEqual({ from: '2026-02-23T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' })
  expect(today('UTC', now)).toEqual({ from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' })
  expect(today('Asia/Tokyo', now)).toEqual({ from: '2026-03-01T15:00:00.000Z', to: '2026-03-02T15:00:00.000Z' })
  // 25 hours: the clock goes back on 1 November.
  expect(today('America/New_York', new Date('2026-11-01T12:00:00Z'))).toEqual({ from: '2026-11-01T04:00:00.000Z', to: '2026-11-02T05:00:00.000Z' })
})

it('finds the first moment of a date', () => {
  expect(startOf('2025-10-26', 'Europe/Berlin').toISOString()).toBe('2025-10-25T22:00:00.000Z')
  expect(startOf('2025-10-27', 'Europe/Berlin').toISOString()).toBe('2025-10-26T23:00:00.000Z')
  expect(startOf('2025-09-07', 'America/Santiago').toISOString()).toBe('2025-09-07T04:00:00.000Z') // there is no 00:00
  expect(startOf('2025-11-02', 'America/Havana').toISOString()).toBe('2025-11-02T04:00:00.000Z') // there are two
  expect(startOf('2026-06-01', 'Asia/Kathmandu').toISOString()).toBe('2026-05-31T18:15:00.000Z')
  expect(dateIn('2026-05-31T18:15:00Z', 'Asia/Kathmandu')).toBe('2026-06-01')
})

it('takes no range that it does not know', () => expect(rangeOf('1e9d')).toBe('30d'))
