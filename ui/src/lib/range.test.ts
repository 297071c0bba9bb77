import { expect, it } from 'vitest'
import { rangeOf, span, today } from './range'

it('spans whole UTC days with today as the last', () => {
  const now = new Date('2026-03-01T15:30:00Z')
  expect(span('7d', now)).toEqual({ from: '2026-02-23T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' })
  expect(today(now)).toEqual({ from: '2026-03-01T00:00:00.000Z', to: '2026-03-02T00:00:00.000Z' })
})

it('takes no range that it does not know', () => expect(rangeOf('1e9d')).toBe('30d'))
