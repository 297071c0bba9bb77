import { expect, it } from 'vitest'
import type { ScopeKind, ScopeRowFragment } from '@/graphql/generated/graphql'
import { isRow, layOut, type Line, withAgents } from './tree'
import { cumulative } from '@/features/burn'

const node = (id: string, kind: ScopeKind, parentId: string | null): ScopeRowFragment => ({ id, kind, parentId, name: id, location: '', viewerCan: [], budget: null })

const rowsOf = (lines: Line[]) => lines.filter(isRow)

const tree = [node('con', 'CONSOLE', 'acc'), node('org', 'ORGANIZATION', 'con'), node('risk', 'TEAM', 'org'), node('fraud', 'TEAM', 'org'), node('ada', 'MEMBER', 'risk')]

it('shows what stands under open nodes, with level and place', () => {
  const rows = rowsOf(layOut(tree, new Set(['con', 'org'])))
  expect(rows.map((r) => [r.id, r.level, r.open, r.posInSet, r.setSize])).toEqual([
    ['con', 1, true, 1, 1],
    ['org', 2, true, 1, 1],
    ['risk', 3, false, 1, 2],
    ['fraud', 3, false, 2, 2],
  ])
})

it("starts at the top of a team admin's reach, whose parents are out of sight", () => {
  const rows = rowsOf(layOut(tree.slice(2), new Set(['risk'])))
  expect(rows.map((r) => [r.id, r.level])).toEqual([
    ['risk', 1],
    ['ada', 2],
    ['fraud', 1],
  ])
})

it('shows agents with a budget under whoever owns them, as far as that is there', () => {
  const budget = {} as NonNullable<ScopeRowFragment['budget']>
  const agents = [{ ...node('helper', 'AGENT', 'org'), budget }, { ...node('own', 'AGENT', 'ada'), budget }, node('free', 'AGENT', 'org'), { ...node('far', 'AGENT', 'bob'), budget }]
  const rows = rowsOf(layOut(withAgents(tree, agents), new Set(['con', 'org', 'risk'])))
  expect(rows.map((r) => [r.id, r.level, r.open])).toEqual([
    ['con', 1, true],
    ['org', 2, true],
    ['risk', 3, true],
    ['ada', 4, false],
    ['fraud', 3, false],
    ['helper', 3, null],
  ])
  expect(layOut(withAgents(tree, agents), new Set(['con', 'org', 'risk', 'ada'])).map((r) => r.id)).toContain('own')
})

it('has a line below a parent where there is more to read, and where the tree itself goes on', () => {
  const rest = { more: () => undefined, busy: false }
  const lines = layOut(tree, new Set(['con', 'org', 'risk']), new Map([['risk', rest], ['', rest]]))
  expect(lines.map((l) => [l.id, l.level, isRow(l) ? l.setSize : l.name])).toEqual([
    ['con', 1, -1],
    ['org', 2, 1],
    ['risk', 3, 2],
    ['ada', 4, -1],
    ['more:risk', 4, 'risk'],
    ['fraud', 3, 2],
    ['more:', 1, ''],
  ])
  expect(layOut(tree, new Set(['con', 'org']), new Map([['risk', rest]])).map((l) => l.id)).not.toContain('more:risk')
})

it('ends the curve at the live amount', () => {
  expect(cumulative([{ amount: '2' }, { amount: '3' }], '5.5')).toEqual([0, 2, 5.5])
  expect(cumulative([], '1')).toEqual([0, 1])
  expect(cumulative([{ amount: '4' }, { amount: '3' }, { amount: '1' }], '6')).toEqual([0, 4, 6, 6])
})
