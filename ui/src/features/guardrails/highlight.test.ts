import { expect, test } from 'vitest'
import { pieces } from './highlight'

const at = (from: number, to: number) => ({ rule: 'r', action: 'REDACT' as const, from, to })

test('cuts by bytes, not by characters', () => {
  expect(pieces('é ada b', [at(3, 6)]).map((p) => p.text)).toEqual(['é ', 'ada', ' b'])
})

test('shows what overlaps once', () => {
  expect(pieces('abcdef', [at(2, 5), at(0, 3)]).map((p) => p.text)).toEqual(['abc', 'de', 'f'])
})
