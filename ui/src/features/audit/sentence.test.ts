import { expect, it } from 'vitest'
import { headline, value, verb } from './sentence'

it('reads amounts as money and anything else as it is', () => {
  expect(value({ field: 'lim' }, '12000000000000', 'CREDITS')).toBe('12,000')
  expect(value({ field: 'limit' }, '"96.5"', 'USD')).toBe('$96.50')
  expect(value({ field: 'input' }, '150000000', 'CREDITS')).toBe('$0.15')
  expect(value({ field: 'name' }, '"Risk"', 'USD')).toBe('Risk')
  expect(value({ field: 'status' }, null, 'USD')).toBe('–')
})

it('puts the limit into the sentence', () => {
  const event = { action: 'budget.set', changes: [{ field: 'lim', before: '10000000000000', after: '12000000000000' }] }
  expect(headline(event, 'USD')).toBe('$10,000.00 → $12,000.00')
  expect(headline({ ...event, action: 'key.create' }, 'USD')).toBe('')
})

it('lets an unknown action speak for itself', () => expect(verb('agent.publish')).toBe('agent.publish'))
