import { expect, test } from 'vitest'
import { healthOf, needsSignIn } from './health'

type Row = Parameters<typeof healthOf>[0]

const well: Row = {
  status: 'ACTIVE',
  kind: 'MCP_HTTP',
  auth: 'HEADER',
  credential: 'SHARED',
  signedIn: { __typename: 'ConnectionSignedIn', ready: true, scopes: '', error: null, hint: null, since: null } as Row['signedIn'],
  health: { checkedAt: '2026-11-30T12:00:00Z', error: null, latencyMs: 12, discoveredAt: null, discoveryError: null } as Row['health'],
}
const out = { ...well.signedIn, ready: false }

test.each<[string, Partial<Row>, string]>([
  ['that answers', {}, 'well'],
  ['switched off, whatever else', { status: 'DISABLED', signedIn: out, health: { ...well.health, error: 'x' } }, 'off'],
  ['that nobody has signed in', { signedIn: out, health: { ...well.health, error: 'sign in' } }, 'out'],
  ['with credentials of one’s own, though the reader gave none', { credential: 'PERSONAL', signedIn: out }, 'well'],
  ['that the first person signs in to', { credential: 'PERSONAL', signedIn: out, health: { ...well.health, checkedAt: null } }, 'out'],
  ['that fails', { health: { ...well.health, error: 'no route', discoveryError: 'no route' } }, 'ill'],
  ['with a tool that was left out', { health: { ...well.health, discoveryError: 'one was left out' } }, 'partly'],
  ['that is new', { health: { ...well.health, checkedAt: null } }, 'unseen'],
])('a connection %s', (_, change, health) => {
  expect(healthOf({ ...well, ...change })).toBe(health)
})

test('one that is off asks nobody to sign in', () => {
  expect(needsSignIn({ ...well, signedIn: out })).toBe(true)
  expect(needsSignIn({ ...well, signedIn: out, status: 'DISABLED' })).toBe(false)
})
