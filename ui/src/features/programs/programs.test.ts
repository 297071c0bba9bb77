import { expect, it } from 'vitest'
import { emptyDraft, problems, stepOf, steps, toInput, uris, ways } from './draft'
import { choices } from './permissions'

const draft = { ...emptyDraft, name: 'Bot', redirectUris: 'https://app.example.com/cb', planes: ['CONSOLE' as const] }

it('takes a whole draft', () => {
  for (const step of steps) expect(problems(draft, step)).toEqual({})
})

it('says in its step what is missing', () => {
  expect(problems({ ...draft, name: ' ' }, 'what')).toHaveProperty('name')
  expect(problems({ ...draft, redirectUris: '' }, 'how')).toHaveProperty('redirectUris')
  expect(problems({ ...draft, consent: false }, 'how')).toHaveProperty('flows')
  expect(problems({ ...draft, consent: false, clientCredentials: true }, 'how')).toEqual({})
  expect(problems({ ...draft, consent: false, clientCredentials: true, public: true }, 'how')).toHaveProperty('flows')
  expect(problems({ ...draft, planes: [] }, 'may')).toHaveProperty('planes')
  expect(problems({ ...draft, permissions: [] }, 'may')).toHaveProperty('permissions')
  expect(stepOf(['permissions', 'redirectUris'])).toBe('how')
  expect(stepOf(['clientKey'])).toBeUndefined()
})

it('takes exact addresses only', () => {
  for (const uri of ['http://localhost:3000/cb', 'http://127.0.0.1/cb', 'http://[::1]:1/cb', 'https://a.example/cb?x=1']) expect(problems({ ...draft, redirectUris: uri }, 'how')).toEqual({})
  for (const uri of ['http://app.example.com/cb', 'https://*.example.com/', 'https://a@b.example/', 'https://a.example/#x', '/callback', 'javascript:alert(1)', 'http://localhost.evil.example/']) expect(problems({ ...draft, redirectUris: uri }, 'how'), uri).toHaveProperty('redirectUris')
})

it('sends nothing that does not go together', () => {
  expect(toInput({ ...draft, public: true, clientCredentials: true, tokenExchange: true, trustedSubjects: true })).toMatchObject({ clientCredentials: false, tokenExchange: false, trustedSubjects: false })
  expect(toInput({ ...draft, trustedSubjects: true })).toMatchObject({ trustedSubjects: false })
  expect(toInput({ ...draft, consent: false }).redirectUris).toEqual([])
  expect(uris({ consent: true, redirectUris: 'https://a\n https://a  https://b' })).toEqual(['https://a', 'https://b'])
})

it('tells how it acts', () => {
  expect(ways({ redirectUris: [], clientCredentials: true, tokenExchange: true, trustedSubjects: true })).toEqual(['for itself', 'for people it names'])
})

it('offers what the viewer holds, what people hold, and what stands', () => {
  const mine = [{ name: 'audit.read', about: 'Read the audit log.' }, { name: 'profile', about: 'p' }]
  expect(choices(mine, false).map((p) => p.name)).toEqual(['profile', 'models.call', 'tools.call', 'agents.resolve', 'audit.read'])
  expect(choices(mine, true).map((p) => p.name)).toContain('keys.manage')
  expect(choices([], false, [{ name: 'roles.manage', about: 'r' }]).map((p) => p.name)).toContain('roles.manage')
})
