import { expect, it } from 'vitest'
import { effects } from './impact'

const nothing = { teams: 0, seatsMoved: 0, seatsEnded: 0, keysRevoked: 0, budgetsEnded: 0, grantsRemoved: 0, invitationsRevoked: 0, rolesEnded: 0, notes: [] }

it('says what happens, and nothing of what does not', () => {
  expect(effects(nothing, 'delete')).toEqual([])
  expect(effects({ ...nothing, seatsMoved: 12, keysRevoked: 1, notes: ['Risk keeps its name.'] }, 'delete')).toEqual(['12 people move to the default team.', '1 virtual key is refused from now on.', 'Risk keeps its name.'])
  expect(effects({ ...nothing, teams: 1 }, 'delete')).toEqual(['1 team goes with it.'])
  expect(effects({ ...nothing, seatsMoved: 2 }, 'move')).toEqual(['2 people move with it.'])
  expect(effects({ ...nothing, keysRevoked: 2 }, 'archive')).toEqual(['2 virtual keys are refused until it is restored.'])
})
