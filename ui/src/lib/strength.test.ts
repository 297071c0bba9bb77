import { expect, it } from 'vitest'
import { strengthOf } from './strength'

it.each([
  ['short', 0, '7 characters to go'],
  ['elevenchars', 0, '1 character to go'],
  ['aaaaaaaaaaaaaa', 1, 'few different'],
  ['password-for-me', 1, 'everybody tries first'],
  ['ada-lovelace-1815', 1, 'your name'],
  ['tugboat lemon', 2, 'Good'],
  ['Tugboat-lemon-7', 3, 'Strong'],
  ['tugboat lemon violin moss', 3, 'Strong'],
] as const)('%s is of strength %i: %s', (password, level, hint) => {
  const found = strengthOf(password, ['Ada Lovelace', 'ada@acme.example'])
  expect(found.level).toBe(level)
  expect(found.hint).toContain(hint)
})

it('counts characters as people do, not code units', () => expect(strengthOf('👩‍🚀'.repeat(2)).level).toBe(0))
