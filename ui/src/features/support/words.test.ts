import { expect, it } from 'vitest'
import { ending, minutesLeft, sees } from './words'

const now = new Date('2026-11-21T12:00:00Z')
const access = { active: true, endedAt: null, endedByName: '', staffName: 'Sam', expiresAt: '2026-11-21T12:30:00Z' }

it('tells an open visit from one that was ended and one that ran out', () => {
  expect(ending(access, now)).toBe('open')
  expect(ending({ ...access, endedAt: '2026-11-21T11:00:00Z', active: false }, now)).toBe('ended')
  expect(ending({ ...access, active: false }, now)).toBe('ranOut')
  // It ran out since the page was read.
  expect(ending(access, new Date('2026-11-21T12:30:01Z'))).toBe('ranOut')
})

it('counts down to zero and no further', () => {
  expect(minutesLeft(access.expiresAt, now)).toBe(30)
  expect(minutesLeft(access.expiresAt, new Date('2026-11-21T12:29:30Z'))).toBe(1)
  expect(minutesLeft(access.expiresAt, new Date('2026-11-21T13:00:00Z'))).toBe(0)
})

it('promises no change to those who only read', () => {
  expect(sees(false).yes.join()).not.toMatch(/change/)
  expect(sees(true).yes.join()).toMatch(/change/)
})
