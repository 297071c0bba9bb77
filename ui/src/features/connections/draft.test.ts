import { expect, test } from 'vitest'
import type { ConnectionPartsFragment } from '@/graphql/generated/graphql'
import { createInput, draftOf, empty, forgets, mistakes, updateInput } from './draft'

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
  expect(mistakes({ ...empty, auth: 'HEADER', authName: '?api_key' }, 'auth')).toEqual({})
  expect(Object.keys(mistakes({ ...empty, auth: 'HEADER', authName: 'two words' }, 'auth'))).toEqual(['authName'])
})
