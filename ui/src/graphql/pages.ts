import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { type AnyVariables, useClient } from 'urql'
import { type Fault, toFault } from './fault'

type Connection<Node> = { totalCount?: number; edges: readonly { node: Node }[]; pageInfo: { hasNextPage: boolean; endCursor?: string | null } }

type Page<Data> = { data?: Data; fault?: Fault }

/**
 * All pages of a list that have been asked for so far. Each stays watched: what a mutation changes, changes in every
 * page of it. Other variables begin anew.
 */
export function usePages<Data, Variables extends AnyVariables, Node>(query: TypedDocumentNode<Data, Variables>, variables: Omit<Variables, 'after'>, listOf: (data: Data) => Connection<Node> | null | undefined, pause = false) {
  const client = useClient()
  const key = JSON.stringify(variables)
  const [state, setState] = useState<{ key: string; cursors: (string | undefined)[]; pages: Page<Data>[]; round: number }>({ key, cursors: [undefined], pages: [], round: 0 })
  const current = useMemo(() => (state.key === key ? state : { key, cursors: [undefined], pages: [], round: 0 }), [state, key])
  const { cursors, pages, round } = current

  useEffect(() => {
    if (pause) return
    const stops = cursors.map((after, i) =>
      client.query(query, { ...(JSON.parse(key) as Variables), after }, { requestPolicy: i === cursors.length - 1 ? 'cache-and-network' : 'cache-first' }).subscribe((result) => {
        setState((was) => {
          const base = was.key === key ? was : { key, cursors, pages: [], round }
          const next = [...base.pages]
          next[i] = { data: result.data ?? base.pages[i]?.data, fault: result.error && toFault(result.error) }
          return { ...base, pages: next }
        })
      }).unsubscribe,
    )
    return () => {
      for (const stop of stops) stop()
    }
    // The cursors are part of what is asked; a new round asks again.
  }, [client, query, key, cursors, round, pause])

  const lists = pages.map((p) => p?.data && listOf(p.data))
  const last = lists[cursors.length - 1]
  const fault = pages.find((p) => p?.fault)?.fault
  const seen = new Set<unknown>()
  const rows = lists
    .flatMap((l) => l?.edges.map((e) => e.node) ?? [])
    .filter((n) => {
      const { id } = n as { id?: string }
      return id === undefined || (!seen.has(id) && seen.add(id))
    })
  return {
    /** The newest page's answer, for what is asked beside the list. */
    data: pages.findLast((p) => p?.data)?.data,
    rows,
    total: lists.find(Boolean)?.totalCount,
    loading: !pages.some((p) => p?.data) && !fault,
    fetching: cursors.length > 1 && !pages[cursors.length - 1],
    fault,
    retry: useCallback(() => setState((was) => ({ ...was, cursors: [...was.cursors], round: was.round + 1 })), []),
    more: last?.pageInfo.hasNextPage ? () => setState((was) => ({ ...was, cursors: [...was.cursors, last.pageInfo.endCursor ?? undefined] })) : undefined,
  }
}
