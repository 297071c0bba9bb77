import { expect, test } from 'vitest'
import { compareLines } from './lines'

const marks = { same: ' ', gone: '-', new: '+' }

const diff = (before: string, after: string) => compareLines(before, after).map((l) => marks[l.kind] + l.text)

test('what stays is found around what changed', () => {
  expect(diff('a\nb\nc', 'a\nB\nc\nd')).toEqual([' a', '-b', '+B', ' c', '+d'])
  expect(diff('a\nb\nc', 'c')).toEqual(['-a', '-b', ' c'])
})

test('nothing is no line', () => {
  expect(diff('', 'a')).toEqual(['+a'])
  expect(diff('a', '')).toEqual(['-a'])
  expect(diff('', '')).toEqual([])
})

test('either text can be told from its lines', () => {
  const before = 'x\n\ny\nx\nz'
  const after = '\nx\ny\ny\nz\n'
  const lines = compareLines(before, after)
  const text = (not: 'gone' | 'new') => lines.filter((l) => l.kind !== not).map((l) => l.text).join('\n')
  expect(text('new')).toBe(before)
  expect(text('gone')).toBe(after)
})
