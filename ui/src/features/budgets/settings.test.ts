import { expect, test } from 'vitest'
import { parseDay, parseThresholds } from './settings'

test.each([
  ['80, 95, 100', [80, 95, 100]],
  ['50 90', [50, 90]],
  ['80%; 95 %', [80, 95]],
  ['', []],
  // Its order is for the server to judge.
  ['95, 50', [95, 50]],
  ['eighty', null],
  ['80.5', null],
  ['-80', null],
])('reads %j as %j', (text, thresholds) => {
  expect(parseThresholds(text)).toEqual(thresholds)
})

test.each([
  ['1', 1],
  [' 28 ', 28],
  ['29', null],
  ['0', null],
  ['1.5', null],
  ['', null],
  ['-3', null],
])('reads %j as the day %j', (text, day) => {
  expect(parseDay(text)).toBe(day)
})
