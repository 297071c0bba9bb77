import { expect, test } from 'vitest'
import type { ConnectionPartsFragment } from '@/graphql/generated/graphql'
import { createInput, type Draft, draftOf, empty, forgets, mistakes, ofKind, takesSecret, updateInput } from './draft'
import { offers } from './offers'

const was = {
  id: 'cnn_1',
  version: 3,
  kind: 'MCP_HTTP',
  name: 'wiki',
  description: '',
  icon: '',
  url: 'https://wiki.example/1/mcp',
  command: [],
  documentUrl: '',
  toolkit: '',
  authConfig: '',
  auth: 'OAUTH',
  authName: '',
  credential: 'PERSONAL',
  oauth: { issuer: 'https://login.example', authorizeUrl: '', tokenUrl: '', clientId: 'cockpit', clientSecretHint: 'abcd', scopes: ['read'] },
} as unknown as ConnectionPartsFragment

test('only what was changed is sent', () => {
  expect(updateInput(draftOf(was), was)).toEqual({ connectionId: 'cnn_1', expectedVersion: 3 })
  expect(updateInput({ ...draftOf(was), description: 'Pages.' }, was)).toEqual({ connectionId: 'cnn_1', expectedVersion: 3, description: 'Pages.' })
})

test.each([
  ['another page of the same server', { url: 'https://wiki.example/2/mcp' }, false],
  ['another server', { url: 'https://other.example/mcp' }, true],
  ['a fresh secret of the client', { clientSecret: 'new' }, false],
  ['another client', { clientId: 'other' }, true],
  ['one credential for all', { credential: 'SHARED' as const }, true],
])('people sign in anew after %s: %#', (_, change, anew) => {
  expect(forgets({ ...draftOf(was), ...change }, was)).toBe(anew)
})

test('fields of another kind stay behind', () => {
  const d = { ...empty, name: ' rooms ', kind: 'OPENAPI' as const, url: '', source: 'address' as const, documentUrl: 'https://api.example/openapi.yaml', document: 'openapi: 3.1.0', command: '["x"]', clientId: 'left over', authName: 'X-Left' }
  expect(createInput(d, 'cop_1')).toEqual({ scopeId: 'cop_1', kind: 'OPENAPI', name: 'rooms', description: '', icon: '', documentUrl: 'https://api.example/openapi.yaml', auth: 'NONE', credential: 'SHARED' })
})

test('what is missing is told of its own step', () => {
  expect(Object.keys(mistakes({ ...empty, name: 'Wiki' }, 'place'))).toEqual(['name', 'url'])
  expect(mistakes({ ...empty, name: 'wiki', url: 'http://127.0.0.1:4000/mcp' }, 'place')).toEqual({})
  expect(Object.keys(mistakes({ ...empty, kind: 'OPENAPI', name: 'a-b', source: 'text' }, 'place'))).toEqual(['document'])
  expect(Object.keys(mistakes({ ...empty, auth: 'OAUTH', tells: 'addresses' }, 'auth'))).toEqual(['clientId', 'authorizeUrl', 'tokenUrl'])
  expect(Object.keys(mistakes({ ...empty, kind: 'OPENAPI', auth: 'OAUTH' }, 'auth'))).toEqual(['tells'])
  expect(mistakes({ ...empty, auth: 'HEADER', authName: '?api_key' }, 'auth')).toEqual({})
  expect(Object.keys(mistakes({ ...empty, auth: 'HEADER', authName: 'two words' }, 'auth'))).toEqual(['authName'])
})

test('Cockpit registers itself where a server tells how, unless a secret asks for its client', () => {
  const d: Draft = { ...empty, name: 'wiki', url: 'https://wiki.example/mcp', auth: 'OAUTH' }
  expect(mistakes(d, 'auth')).toEqual({})
  expect(createInput(d, 'cop_1').oauth).toEqual({ scopes: [] })
  expect(mistakes({ ...d, tells: 'issuer', issuer: 'https://login.example' }, 'auth')).toEqual({})
  expect(Object.keys(mistakes({ ...d, clientSecret: 'left over' }, 'auth'))).toEqual(['clientId'])
})

test('the secret goes with its client', () => {
  expect(updateInput({ ...draftOf(was), clientId: '' }, was).oauth).toEqual({ issuer: 'https://login.example', clientSecret: '', scopes: ['read'] })
  expect(updateInput({ ...draftOf(was), clientId: 'other' }, was).oauth).toEqual({ issuer: 'https://login.example', clientId: 'other', scopes: ['read'] })
})

const github: Draft = { ...empty, kind: 'COMPOSIO', name: 'github', toolkit: 'github' }

test('a toolkit of Composio is sent without what others need, whatever was typed in for them', () => {
  const typed: Draft = { ...empty, auth: 'OAUTH', name: 'github', url: 'https://left.example', clientId: 'left over', toolkit: ' github ', authConfig: ' ac_1 ', credential: 'PERSONAL' }
  const d = { ...typed, ...ofKind(typed, 'COMPOSIO') }
  expect(takesSecret(d)).toBe(true)
  expect(createInput(d, 'cop_1')).toEqual({ scopeId: 'cop_1', kind: 'COMPOSIO', name: 'github', description: '', icon: '', toolkit: 'github', authConfig: 'ac_1', credential: 'PERSONAL' })
  expect({ ...d, ...ofKind(d, 'MCP_HTTP') }.auth).toBe('NONE')
})

test.each<[string, Partial<Draft>, 'place' | 'auth', string[]]>([
  ['without a toolkit', { toolkit: '' }, 'place', ['toolkit']],
  ['with a toolkit that is no slug', { toolkit: 'Google Drive' }, 'place', ['toolkit']],
  ['with a toolkit', {}, 'place', []],
  ['shared, of what needs no accounts', {}, 'auth', []],
  ['of each person, without an auth config', { credential: 'PERSONAL' }, 'auth', ['authConfig']],
  ['of each person, by an auth config', { credential: 'PERSONAL', authConfig: 'ac_1' }, 'auth', []],
  ['with words for an auth config', { authConfig: 'my config' }, 'auth', ['authConfig']],
])('Composio %s', (_, change, step, wrong) => {
  expect(Object.keys(mistakes({ ...github, ...change }, step))).toEqual(wrong)
})

test.each<[string, Partial<Draft>, boolean]>([
  ['another description', { description: 'Code.' }, false],
  ['another toolkit', { toolkit: 'gmail' }, true],
  ['no auth config', { authConfig: '' }, true],
  ['one account for all', { credential: 'SHARED' }, true],
])('of Composio people link anew after %s', (_, change, anew) => {
  const made = { ...was, kind: 'COMPOSIO', auth: 'HEADER', authName: 'X-Api-Key', url: 'https://backend.composio.example', oauth: null, toolkit: 'github', authConfig: 'ac_1' } as ConnectionPartsFragment
  expect(updateInput(draftOf(made), made)).toEqual({ connectionId: 'cnn_1', expectedVersion: 3 })
  expect(forgets({ ...draftOf(made), ...change }, made)).toBe(anew)
  expect(updateInput({ ...draftOf(made), ...change }, made)).toEqual({ connectionId: 'cnn_1', expectedVersion: 3, ...change })
})

const reasons = (o: ReturnType<typeof offers>) => Object.fromEntries(o.map((k) => [k.kind, k.reason]))

test('kinds that may not be made carry their reason', () => {
  const off = 'Connecting integrations is off here.'
  const can = [
    { action: 'connection.createMcp', allowed: true, reason: '' },
    { action: 'connection.createIntegration', allowed: false, reason: off },
  ]
  expect(reasons(offers(can, [['/bin/files']]))).toEqual({ MCP_HTTP: undefined, MCP_SSE: undefined, OPENAPI: undefined, COMPOSIO: off, MCP_STDIO: undefined })
  expect(reasons(offers(can, [])).MCP_STDIO).toMatch(/no program/)
  expect(reasons(offers([{ action: 'connection.createProgram', allowed: false, reason: 'Admins alone.' }], [])).MCP_STDIO).toBe('Admins alone.')
})
