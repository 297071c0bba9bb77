import { useEffect, useMemo, useState } from 'react'
import { useClient } from 'urql'
import { BudgetAgentsDocument, BudgetLeavesDocument, BudgetTreeDocument, type ScopeKind, type ScopeRowFragment } from '@/graphql/generated/graphql'
import { usePages as usePaged } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { ask, pick, type Plane } from '@/lib/plane'
import { t } from '@/lib/i18n'

export type Row = ScopeRowFragment & { level: number; open: boolean | null; posInSet: number; setSize: number }

export const kindName: Record<ScopeKind, string> = {
  PLATFORM: t('Platform'),
  ACCOUNT: t('Account'),
  CONSOLE: t('Console'),
  COPILOT: t('Copilot'),
  ORGANIZATION: t('Organization'),
  TEAM: t('Team'),
  MEMBER: t('User'),
  KEY: t('Key'),
  AGENT: t('Agent'),
}

/** The root of a plane, whose budget is the plane's pool. */
export const isRoot = (s: { kind: ScopeKind }) => s.kind === 'CONSOLE' || s.kind === 'COPILOT'

const hasLeaves = (s: ScopeRowFragment) => s.kind === 'TEAM'

/** Lays the nodes out as rows: only what stands under open nodes, with its level and place among its siblings. */
export function layOut(nodes: readonly ScopeRowFragment[], open: ReadonlySet<string>): Row[] {
  const ids = new Set(nodes.map((n) => n.id))
  const children = new Map<string, ScopeRowFragment[]>()
  for (const n of nodes) {
    const parent = n.parentId && ids.has(n.parentId) ? n.parentId : ''
    children.set(parent, [...(children.get(parent) ?? []), n])
  }
  const rows: Row[] = []
  const walk = (parent: string, level: number) => {
    const siblings = children.get(parent) ?? []
    siblings.forEach((n, i) => {
      const canOpen = children.has(n.id) || hasLeaves(n)
      rows.push({ ...n, level, open: canOpen ? open.has(n.id) : null, posInSet: i + 1, setSize: siblings.length })
      if (open.has(n.id)) walk(n.id, level + 1)
    })
  }
  walk('', 1)
  return rows
}

/** Nodes found by name, without their tree. */
export const layOutFlat = (nodes: readonly ScopeRowFragment[]): Row[] => nodes.map((n, i) => Object.assign({ level: 1, open: null, posInSet: i + 1, setSize: nodes.length }, n))

/** A node that is shown by itself. */
export const alone = (node: ScopeRowFragment): Row => Object.assign({ level: 1, open: null, posInSet: 1, setSize: 1 }, node)

/** All pages of a list, asked for one after the other; the server caps each at 100. */
function usePages(plane: Plane) {
  const [cursors, setCursors] = useState<(string | undefined)[]>([undefined])
  const [pages, setPages] = useState<Record<number, readonly ScopeRowFragment[]>>({})
  const last = cursors.length - 1
  const read = useRead(BudgetTreeDocument, { ...ask(plane), after: cursors[last] })
  const scopes = pick(read.data)?.scopes
  const next = scopes?.pageInfo.hasNextPage ? (scopes.pageInfo.endCursor ?? undefined) : undefined
  const before = pages[last - 1]
  const answered = useMemo(() => scopes?.edges.map((e) => e.node) ?? [], [scopes])
  // Until the next page is there, what is read is still the one before.
  const stale = Boolean(before && answered[0]?.id === before[0]?.id)
  const own = stale ? [] : answered
  const earlier = Object.entries(pages).flatMap(([i, nodes]) => (Number(i) < last ? nodes : []))
  const more = () => {
    if (stale) return
    setPages((p) => ({ ...p, [last]: own }))
    setCursors((c) => [...c, next])
  }
  return { ...read, nodes: [...earlier, ...own], more: next ? more : undefined, fetching: read.fetching || stale }
}

/** A plane's root goes by the account's name: "Console" alone would say nothing. */
export const named = <N extends { kind: ScopeKind; name: string }>(node: N, account: string): N => (isRoot(node) ? { ...node, name: account } : node)

/** Agents under those who own them, as far as these are there. */
export function withAgents(nodes: readonly ScopeRowFragment[], agents: readonly ScopeRowFragment[]): ScopeRowFragment[] {
  const ids = new Set(nodes.map((n) => n.id))
  return [...nodes, ...agents.filter((a) => a.budget && a.parentId && ids.has(a.parentId))]
}

/** Agents of Copilot that hold a budget, all pages of them. */
function useAgents(plane: Plane): readonly ScopeRowFragment[] {
  const { rows, more, fetching } = usePaged(BudgetAgentsDocument, {}, (d) => d.copilot?.scopes, plane !== 'COPILOT')
  useEffect(() => {
    if (more && !fetching) more()
  }, [more, fetching])
  return rows
}

export function useTree(plane: Plane) {
  const account = useViewer().account.name
  const top = usePages(plane)
  const [toggled, setToggled] = useState<Record<string, boolean>>({})
  const [leaves, setLeaves] = useState<Record<string, readonly ScopeRowFragment[]>>({})
  const client = useClient()

  // Planes and organizations begin open, teams and people closed.
  const open = new Set([...top.nodes, ...Object.values(leaves).flat()].filter((n) => toggled[n.id] ?? !(hasLeaves(n) || n.kind === 'MEMBER')).map((n) => n.id))
  const teams = top.nodes.filter((n) => hasLeaves(n) && open.has(n.id)).map((n) => n.id)
  const key = teams.join()

  // Watching the query keeps the leaves live: the cache tells when a state changes.
  useEffect(() => {
    const stops = (key ? key.split(',') : []).map(
      (under) =>
        client.query(BudgetLeavesDocument, { ...ask(plane), under }, { requestPolicy: 'cache-and-network' }).subscribe((result) => {
          const scopes = pick(result.data)?.scopes
          if (scopes) setLeaves((l) => ({ ...l, [under]: scopes.edges.map((e) => e.node).filter((n) => n.id !== under) }))
        }).unsubscribe,
    )
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, key, plane])

  const shown = [...top.nodes, ...teams.flatMap((id) => leaves[id] ?? [])]
  const agents = useAgents(plane)
  const nodes = withAgents(shown, agents).map((n) => named(n, account))
  return { ...top, nodes, rows: layOut(nodes, open), toggle: (id: string, on: boolean) => setToggled((was) => ({ ...was, [id]: on })) }
}
