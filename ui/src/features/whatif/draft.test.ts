import { expect, it } from 'vitest'
import { nothing, toInput } from './draft'

it('asks for nothing as long as nothing is complete', () => {
  expect(Object.values(toInput({ ...nothing, people: '5', moves: [{ key: 1, from: 'a', to: null, share: 50 }], prices: [{ key: 2, model: 'a', percent: 0 }], factor: 'x' })).filter((v) => v !== undefined)).toEqual([])
})

it('takes people by number or by percent, never both', () => {
  expect(toInput({ ...nothing, usersBy: 'people', people: '−3', usersPercent: 20 })).toMatchObject({ users: -3, usersPercent: undefined })
  expect(toInput({ ...nothing, people: '12', usersPercent: 20 })).toMatchObject({ users: undefined, usersPercent: 20 })
  expect(toInput({ ...nothing, usersBy: 'people', people: '1.5' }).users).toBeUndefined()
})

it('keeps the order of moves, and leaves out one from a model to itself', () => {
  const moves = [
    { key: 1, from: 'a', to: 'b', share: 50 },
    { key: 2, from: 'b', to: 'b', share: 10 },
    { key: 3, from: 'a', to: 'c', share: 100 },
  ]
  expect(toInput({ ...nothing, moves }).moves).toEqual([
    { fromModelId: 'a', toModelId: 'b', percent: 50 },
    { fromModelId: 'a', toModelId: 'c', percent: 100 },
  ])
})
