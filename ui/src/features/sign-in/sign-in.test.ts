import { expect, it } from 'vitest'
import { kindOf, kinds, parseScopes } from './kinds'
import { activatable, preconditions, sentence } from './state'

it('knows a product by its issuer, and by no address that only looks like it', () => {
  expect(kindOf('https://login.microsoftonline.com/4711/v2.0')).toBe('entra')
  expect(kindOf('https://acme.okta.com/oauth2/default')).toBe('okta')
  expect(kindOf('https://accounts.google.com')).toBe('google')
  expect(kindOf('https://acme-1.zitadel.cloud')).toBe('zitadel')
  for (const issuer of ['https://okta.com.evil.example', 'https://evil.example/okta.com', 'https://notokta.com', 'nonsense', '']) expect(kindOf(issuer)).toBe('other')
})

it('always asks for openid, once', () => {
  expect(parseScopes('')).toEqual(['openid'])
  expect(parseScopes(' profile, email  openid profile')).toEqual(['openid', 'profile', 'email'])
  for (const kind of Object.values(kinds)) expect(parseScopes(kind.scopes)[0]).toBe('openid')
})

const provider = { status: 'DRAFT' as const, testedAt: '2026-11-21T12:00:00Z', testError: '' }

it('tells what a test found as a sentence', () => {
  expect(sentence('the provider says access_denied')).toBe('The provider says access_denied.')
  expect(sentence('It works.')).toBe('It works.')
  expect(sentence('')).toBe('')
})

it('lets nobody in through what was not tested as it is', () => {
  expect(activatable(provider)).toBe(true)
  expect(activatable({ ...provider, testedAt: null })).toBe(false)
  expect(activatable({ ...provider, testError: 'no e-mail' })).toBe(false)
  expect(activatable({ ...provider, status: 'ACTIVE' })).toBe(false)
})

const met = (verified: boolean, p: Partial<Record<keyof typeof provider, unknown>>) =>
  preconditions({ domains: { edges: [{ node: { id: 'd', name: 'acme.example', verified } }] }, identityProviders: { edges: [{ node: { ...provider, ...p } as typeof provider }] } } as never).map((c) => c.met)

it('enforces only with a verified domain and an active, tested provider', () => {
  expect(met(true, { status: 'ACTIVE' })).toEqual([true, true])
  expect(met(false, { status: 'ACTIVE' })).toEqual([false, true])
  expect(met(true, {})).toEqual([true, false])
  expect(met(true, { status: 'ACTIVE', testedAt: null })).toEqual([true, false])
  expect(preconditions({ domains: null, identityProviders: null }).map((c) => c.met)).toEqual([false, false])
})
