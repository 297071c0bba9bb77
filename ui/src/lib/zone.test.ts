import { expect, test } from 'vitest'
import { dayFrom, endOfDay } from './zone'

test.each([
  ['2026-12-08', 'UTC', '2026-12-08T23:59:59.000Z'],
  ['2026-12-08', 'Europe/Berlin', '2026-12-08T22:59:59.000Z'],
  ['2026-12-08', 'America/Los_Angeles', '2026-12-09T07:59:59.000Z'],
  ['2026-12-08', 'Asia/Kathmandu', '2026-12-08T18:14:59.000Z'],
  ['2026-12-08', 'Pacific/Kiritimati', '2026-12-08T09:59:59.000Z'],
  // The days on which clocks change.
  ['2026-03-29', 'Europe/Berlin', '2026-03-29T21:59:59.000Z'],
  ['2026-10-25', 'Europe/Berlin', '2026-10-25T22:59:59.000Z'],
  ['2026-03-08', 'America/Los_Angeles', '2026-03-09T06:59:59.000Z'],
])('%s ends in %s at %s', (day, zone, at) => {
  expect(endOfDay(day, zone)).toBe(at)
})

test.each(['', 'tomorrow', '2026-13-01'])('%j is no day', (text) => {
  expect(endOfDay(text, 'UTC')).toBeUndefined()
})

test('a day is the zone’s, not the reader’s', () => {
  const late = Date.parse('2026-12-08T22:30:00Z')
  expect(dayFrom('UTC', 0, late)).toBe('2026-12-08')
  expect(dayFrom('Asia/Tokyo', 0, late)).toBe('2026-12-09')
  expect(dayFrom('America/New_York', 7, late)).toBe('2026-12-15')
})
