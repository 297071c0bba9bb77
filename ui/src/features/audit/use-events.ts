import { useState } from 'react'
import { useSubscription } from 'urql'
import { type AuditFilter, AuditLiveDocument, type AuditPartsFragment } from '@/graphql/generated/graphql'

/** Merges what comes live into what was read, each event once, newest first. */
export function merge(...lists: readonly (readonly AuditPartsFragment[])[]): AuditPartsFragment[] {
  const seen = new Set<string>()
  return lists
    .flat()
    .filter((e) => !seen.has(e.id) && seen.add(e.id))
    .toSorted((a, b) => b.seq - a.seq)
}

type Options = { scopeId?: string; filter: AuditFilter; paused: boolean; /** Newest first; undefined until the first page is there. */ read?: readonly AuditPartsFragment[] }

/**
 * Events as they happen. It begins after the newest that was read and goes on, after a pause or a lost connection,
 * where it stopped: nothing in between is missed.
 */
export function useLiveEvents({ scopeId, filter, paused, read }: Options) {
  const [fresh, setFresh] = useState<readonly AuditPartsFragment[]>([])
  const [after, setAfter] = useState<number>()
  // Fixed when it begins: another number would be another subscription.
  if (after === undefined && read) setAfter(read[0]?.seq ?? 0)
  useSubscription({ query: AuditLiveDocument, variables: { scopeId: scopeId ?? '', filter, after }, pause: paused || !scopeId || after === undefined }, (_, next) => {
    setFresh((was) => [next.auditEvents, ...was.filter((e) => e.id !== next.auditEvents.id)].slice(0, 500))
    return next
  })
  return {
    fresh,
    /** To be called before it goes on. */
    catchUp: () => setAfter(Math.max(after ?? 0, fresh[0]?.seq ?? 0)),
  }
}
