import { expect, it } from 'vitest'
import { fieldName, sentence, type Told, value } from './sentence'
import { words } from './words'

const told = (e: Partial<Told>): Told => ({ action: 'key.create', outcome: 'DONE', actorName: 'Ada', targetName: 'Risk', location: '', changes: [], ...e })
const read = (e: Partial<Told>, unit: 'USD' | 'CREDITS' | null = 'CREDITS') => {
  const said = sentence(told(e), unit)
  return ['Ada', said.verb, said.target, said.detail].filter(Boolean).join(' ')
}
const change = (field: string, before: string | null, after: string | null) => ({ changes: [{ field, before, after }] })

it('reads amounts as money and anything else as it is', () => {
  expect(value({ field: 'lim' }, '12000000000000', 'CREDITS')).toBe('12,000')
  expect(value({ field: 'limit' }, '"96.5"', 'USD')).toBe('$96.50')
  expect(value({ field: 'limit' }, '"96.5"', null)).toBe('96.5')
  expect(value({ field: 'lim' }, '12000000000000', 'NAMED_CREDITS')).toBe('12,000 credits')
  expect(value({ field: 'input' }, '150000000', 'NAMED_CREDITS')).toBe('$0.15')
  expect(value({ field: 'input' }, '150000000', 'CREDITS')).toBe('$0.15')
  expect(value({ field: 'name' }, '"Risk"', 'USD')).toBe('Risk')
  expect(value({ field: 'planes' }, '["CONSOLE","COPILOT"]', 'USD')).toBe('CONSOLE, COPILOT')
  expect(value({ field: 'sso_enforced' }, 'true', 'USD')).toBe('yes')
  expect(value({ field: 'status' }, null, 'USD')).toBe('–')
})

it.each([
  [{ action: 'budget.set', ...change('lim', '10000000000000', '12000000000000') }, 'Ada raised the limit of Risk 10,000 → 12,000'],
  [{ action: 'budget.set', ...change('lim', '12000000000000', '10000000000000') }, 'Ada lowered the limit of Risk 12,000 → 10,000'],
  [{ action: 'budget.set', ...change('limit', null, '"10000"') }, 'Ada set the limit of Risk 10,000'],
  [{ action: 'grant.set', targetName: 'gpt-5', location: 'Banking / Risk', ...change('effect', null, '"ALLOW"') }, 'Ada allowed gpt-5 in Banking / Risk'],
  [{ action: 'grant.set', targetName: 'gpt-5', location: 'Banking / Risk', ...change('effect', '"ALLOW"', '"DENY"') }, 'Ada denied gpt-5 in Banking / Risk'],
  [{ action: 'grant.set', targetName: 'gpt-5', ...change('note', '""', '"pilot"') }, 'Ada changed the grant of gpt-5'],
  [{ action: 'role.bind', targetName: 'Bob', location: 'Banking / Risk', ...change('role', null, '"ADMIN"') }, 'Ada made Bob admin of Banking / Risk'],
  [{ action: 'role.unbind', targetName: 'Bob', location: 'Banking', ...change('role', '"VIEWER"', null) }, 'Ada took a role from Bob auditor in Banking'],
  [{ action: 'member.move', targetName: 'Bob', ...change('team', '"Risk"', '"Claims"') }, 'Ada moved Bob Risk → Claims'],
  [{ action: 'team.update', ...change('name', '"Risks"', '"Risk"') }, 'Ada changed the team Risk Risks → Risk'],
  [{ action: 'member.create', targetName: 'Bob', location: 'Banking / Risk / Bob' }, 'Ada gave a seat to Bob in Banking / Risk'],
  [{ action: 'support.start', targetName: 'Acme' }, 'Ada began a support access to Acme'],
  [{ action: 'session.create', targetName: 'Ada' }, 'Ada signed in'],
  [{ action: 'model.call', outcome: 'REFUSED', targetName: 'gpt-5' }, 'Ada was not allowed to call gpt-5'],
  [{ action: 'budget.set', outcome: 'REFUSED', ...change('lim', '1', '2') }, 'Ada was not allowed to set the limit of Risk'],
  [{ action: 'provider.test', outcome: 'FAILED', targetName: 'OpenAI' }, 'Ada failed to test the provider OpenAI'],
  [{ action: 'robot.wake' }, 'Ada robot.wake Risk'],
] satisfies [Partial<Told>, string][])('says %j', (event, said) => expect(read(event)).toBe(said))

it('names fields in words', () => expect(['lim', 'cycle_day', 'identityProvider'].map(fieldName)).toEqual(['limit', 'cycle day', 'identity provider']))

it('has words for every action of the policies', async () => {
  const { readFileSync } = await import('node:fs')
  const policies = JSON.parse(readFileSync('../policies/actions.json', 'utf8')) as { actions: Record<string, object> }
  expect(Object.keys(policies.actions).filter((action) => !words[action])).toEqual([])
})
