import { expect, it } from 'vitest'
import { changed, draftOf, problems, retentions } from './draft'

const account = { name: 'Acme', timeZone: 'Europe/Berlin', sessionIdleMinutes: 720, sessionLifetimeMinutes: 43_200, auditRetentionDays: 0 }

it('sends only what differs', () => {
  const draft = draftOf(account)
  expect(changed(account, draft)).toEqual({})
  expect(changed(account, { ...draft, name: ' Acme ', idle: { amount: '12', unit: 'hours' } })).toEqual({})
  expect(changed(account, { ...draft, lifetime: { amount: '7', unit: 'days' }, retention: '365' })).toEqual({ sessionLifetimeMinutes: 10_080, auditRetentionDays: 365 })
})

it('says under its field what can not be saved', () => {
  const draft = draftOf(account)
  expect(problems(draft)).toEqual({})
  expect(problems({ ...draft, name: ' ' })).toHaveProperty('name')
  expect(problems({ ...draft, idle: { amount: '4', unit: 'minutes' } })).toHaveProperty('sessionIdleMinutes')
  expect(problems({ ...draft, idle: { amount: '31', unit: 'days' } })).toHaveProperty('sessionIdleMinutes')
  expect(problems({ ...draft, lifetime: { amount: 'x', unit: 'days' } })).toHaveProperty('sessionLifetimeMinutes')
  expect(problems({ ...draft, lifetime: { amount: '1', unit: 'hours' } })).toHaveProperty('sessionIdleMinutes')
})

it('offers what stands now, whatever it is', () => {
  expect(retentions(45).map((r) => r.value)).toContain('45')
  expect(retentions(0).at(-1)).toEqual({ value: '0', label: 'For good' })
})
