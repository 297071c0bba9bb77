import { expect, it } from 'vitest'
import { placeName, roleMeans } from './words'

it('names places as people do', () => {
  expect(placeName({ name: 'Risk', kind: 'TEAM' }, 'Banking', 'Acme')).toBe('Banking / Risk')
  expect(placeName({ name: 'Risk', kind: 'TEAM' }, 'Banking / Risk', 'Acme')).toBe('Banking / Risk')
  expect(placeName({ name: 'Banking', kind: 'ORGANIZATION' }, '', 'Acme')).toBe('Banking')
  expect(placeName({ name: 'Risk', kind: 'TEAM' }, 'Banking / Risk', 'Acme', 'COPILOT')).toBe('Copilot: Banking / Risk')
  expect(placeName({ name: 'Console', kind: 'CONSOLE' }, '', 'Acme')).toBe('All of Console')
  expect(placeName({ name: 'acme', kind: 'ACCOUNT' }, '', 'Acme')).toBe('All of Acme')
})

it('says how far a role reaches', () => {
  expect(roleMeans('ADMIN', 'ACCOUNT')).toBe('Changes everything in the whole account, Console and Copilot.')
  expect(roleMeans('VIEWER', 'TEAM')).toBe('Sees everything in the team, changes nothing.')
})
