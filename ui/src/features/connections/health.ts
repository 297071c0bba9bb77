import type { ConnectionRowFragment } from '@/graphql/generated/graphql'

/** How a connection does, the gravest first: off; nobody signed in; no answer; not all was read; never looked at; well. */
export type Health = 'off' | 'out' | 'ill' | 'partly' | 'unseen' | 'well'

type Row = Pick<ConnectionRowFragment, 'status' | 'auth' | 'kind' | 'credential' | 'signedIn' | 'health'>

export function healthOf(c: Row): Health {
  if (c.status !== 'ACTIVE') return 'off'
  if (c.credential === 'SHARED' && !c.signedIn.ready) return 'out'
  if (c.health.error) return 'ill'
  if (!c.health.checkedAt) return c.signedIn.ready ? 'unseen' : 'out'
  return c.health.discoveryError ? 'partly' : 'well'
}

/** Whether somebody signs in before it can be used: those in charge for all, or the reader for themselves. */
export const needsSignIn = (c: Row): boolean => c.status === 'ACTIVE' && !c.signedIn.ready

/** Tools that wait for somebody's look. */
export const heldOf = (c: Pick<ConnectionRowFragment, 'toolCounts'>): number => c.toolCounts.pending + c.toolCounts.changed

/** What the summary above the list says. */
export type Show = 'well' | 'held' | 'out'

export const shows: Record<Show, (c: Row & Pick<ConnectionRowFragment, 'toolCounts'>) => boolean> = {
  well: (c) => healthOf(c) === 'well',
  held: (c) => c.status === 'ACTIVE' && heldOf(c) > 0,
  out: needsSignIn,
}
