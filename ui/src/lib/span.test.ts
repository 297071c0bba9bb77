import { expect, it } from 'vitest'
import { joinMinutes, minutesWords, splitMinutes } from './span'

it('tells minutes in the largest whole unit, and back', () => {
  for (const [minutes, amount, unit] of [
    [720, 12, 'hours'],
    [90, 90, 'minutes'],
    [129_600, 90, 'days'],
    [15, 15, 'minutes'],
  ] as const) {
    expect(splitMinutes(minutes)).toEqual({ amount, unit })
    expect(joinMinutes(String(amount), unit)).toBe(minutes)
  }
  expect(minutesWords(60)).toBe('1 hour')
})

it('takes no part of a minute and no sign', () => {
  for (const text of ['', '1.5', '-3', '1e3', 'soon']) expect(joinMinutes(text, 'hours')).toBeNull()
})
