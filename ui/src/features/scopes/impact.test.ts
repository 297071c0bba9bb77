import { expect, it } from 'vitest'
import { effects } from './impact'

const nothing = { teams: 0, seatsMoved: 0, seatsEnded: 0, keysRevoked: 0, budgetsEnded: 0, grantsRemoved: 0, invitationsRevoked: 0, rolesEnded: 0, notes: [] }

it('says what happens, and nothing of what does not', () => {
  expect(effects(nothing)).toEqual([])
  expect(effects({ ...nothing, seatsMoved: 12, keysRevoked: 1, notes: ['Risk keeps its name.'] })).toEqual(['12 people move to the default team.', '1 virtual key is refused from now on.', 'Risk keeps its name.'])
  expect(effects({ ...nothing, teams: 1 })).toEqual(['1 team goes with it.'])
})
