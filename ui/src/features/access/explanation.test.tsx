import { render, screen, within } from '@testing-library/react'
import { expect, it } from 'vitest'
import { actions, actionsAt } from './actions'
import { Explained } from './explained'
import { chain, type Explanation, mailTo, verdict, verdictAt } from './explanation'
import { grantTo } from './grant-to'

const steps: Explanation['steps'] = [
  { name: 'Acme', kind: 'ACCOUNT', finding: '', decisive: false },
  { name: 'Console', kind: 'CONSOLE', finding: 'Allowed', decisive: false },
  { name: 'Risk', kind: 'TEAM', finding: 'Denied', decisive: true },
]

const denied: Explanation = {
  allowed: false,
  rule: 'deny',
  reason: 'gpt-5 is denied at the team Risk, which nothing below lifts.',
  steps,
  who: [{ id: 'usr_1', name: 'Anna Keller', email: 'anna@acme.example' }],
  policy: 'rev1',
}

it('shows the verdict, the way, the step that decided, and who can change it', () => {
  render(<Explained explanation={denied} verdict={verdict(denied.allowed, 'use gpt-5', 'Ben Okafor')} question="May Ben Okafor use gpt-5?" />)
  expect(screen.getByRole('status')).toHaveTextContent('No, Ben Okafor may not use gpt-5')
  const way = screen.getAllByRole('list')[0]!
  const items = within(way).getAllByRole('listitem')
  expect(items.map((i) => i.textContent)).toEqual(['AcmeAccount', 'ConsoleAllowed', 'RiskTeamDeniedDecides'])
  expect(screen.getByRole('link', { name: /Anna Keller/ })).toHaveAttribute('href', expect.stringMatching(/^mailto:anna@acme\.example\?subject=May%20Ben%20Okafor%20use%20gpt-5%3F&body=gpt-5%20is%20denied/))
})

it('lets what is missing decide where no place on the way did', () => {
  const none = steps.slice(0, 2)
  expect(chain({ allowed: false, rule: 'not-granted', steps: none }).at(-1)).toEqual({ name: 'Nothing on the way allows it.', finding: '', decisive: true })
  expect(chain({ allowed: false, rule: '', steps: none }).at(-1)?.name).toBe('No role on the way reaches that far.')
  expect(chain({ allowed: true, rule: 'allow', steps: none })).toHaveLength(2)
  expect(chain(denied)).toHaveLength(3)
})

it('speaks to the reader, or of somebody', () => {
  expect(verdict(true, 'use gpt-5')).toBe('Yes, you may use gpt-5')
  expect(verdict(false, 'set its limit', 'Ben')).toBe('No, Ben may not set its limit')
  expect(verdictAt(false, 'gpt-5', 'Banking / Risk')).toBe('No, gpt-5 may not be used in Banking / Risk')
})

it('quotes nothing into the mail that would add headers', () => {
  expect(mailTo('a@b.example', 'May I?\nBcc: x@y.example', 'no&cc=z')).toBe('mailto:a@b.example?subject=May%20I%3F%0ABcc%3A%20x%40y.example&body=no%26cc%3Dz')
})

const values = (plane: 'CONSOLE' | 'COPILOT', scope?: string) => actionsAt(plane, scope).map((a) => a.value)

it('offers only what can be done at the place, in its plane', () => {
  expect(values('COPILOT', 'team_1')).toContain('member.create')
  expect(values('COPILOT', 'team_1')).not.toContain('organization.update')
  expect(values('COPILOT', 'cop_1')).toContain('model.install')
  expect(values('CONSOLE')).not.toContain('model.install')
})

it('asks about actions that the policies know, at places that they are for', async () => {
  const { readFileSync } = await import('node:fs')
  const policies = JSON.parse(readFileSync('../policies/actions.json', 'utf8')) as { actions: Record<string, { targets: string[] }> }
  const wrong = Object.entries(actions).flatMap(([name, a]) => {
    const targets = policies.actions[name]?.targets ?? []
    return a.at.filter((kind) => !targets.includes(kind === 'CONSOLE' || kind === 'COPILOT' ? 'PLANE' : kind)).map((kind) => `${name} at ${kind}`)
  })
  expect(wrong).toEqual([])
})

it('turns the choice of who may use a model into scopes', () => {
  expect(grantTo({ to: 'plane', scopes: [] }, 'con_1')).toEqual(['con_1'])
  expect(grantTo({ to: 'some', scopes: ['team_1'] }, 'con_1')).toEqual(['team_1'])
  expect(grantTo({ to: 'nobody', scopes: ['team_1'] }, 'con_1')).toBeUndefined()
})
