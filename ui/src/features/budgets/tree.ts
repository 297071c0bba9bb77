import { useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import { BudgetAgentsDocument, BudgetLeavesDocument, BudgetSearchDocument, BudgetTreeDocument, type ScopeRowFragment } from '@/graphql/generated/graphql'
import { type Fault, toFault } from '@/graphql/fault'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { useDebounced } from '@/lib/debounce'
import { ask, pick, type Plane } from '@/lib/plane'
import { named } from './kinds'

export type Row = ScopeRowFragment & { level: number; open: boolean | null; posInSet: number; /** −1 while not all are there. */ setSize: number }

/** Stands where a list goes on that isn't read yet. */
export type More = { id: string; more: () => void; busy: boolean; level: number; parentId: string; /** Of whom; empty at the end of all. */ name: string }

export type Line = Row | More

export const isRow = (line: Line): line is Row => !('more' in line)

const hasLeaves = (s: ScopeRowFragment) => s.kind === 'TEAM'

type Rest = { more: () => void; busy: boolean }

/** Lays the nodes out as lines: only what stands under open nodes, with its level and place among its siblings, and where more can be read. */
export function layOut(nodes: readonly ScopeRowFragment[], open: ReadonlySet<string>, rest: ReadonlyMap<string, Rest> = new Map()): Line[] {
  const ids = new Set(nodes.map((n) => n.id))
  const children = new Map<string, ScopeRowFragment[]>()
  for (const n of nodes) {
    const parent = n.parentId && ids.has(n.parentId) ? n.parentId : ''
    children.set(parent, [...(children.get(parent) ?? []), n])
  }
  const lines: Line[] = []
  const walk = (parent: string, name: string, level: number) => {
    const siblings = children.get(parent) ?? []
    const more = rest.get(parent)
    siblings.forEach((n, i) => {
      const canOpen = children.has(n.id) || hasLeaves(n)
      lines.push({ ...n, level, open: canOpen ? open.has(n.id) : null, posInSet: i + 1, setSize: more ? -1 : siblings.length })
      if (open.has(n.id)) walk(n.id, n.name, level + 1)
    })
    if (more) lines.push({ id: `more:${parent}`, level, parentId: parent, name, ...more })
  }
  walk('', '', 1)
  return lines
}

/** Nodes found by name, without their tree. */
/** A node that is shown by itself. */
export const alone = (node: ScopeRowFragment): Row => Object.assign({ level: 1, open: null, posInSet: 1, setSize: 1 }, node)

function layOutFlat(nodes: readonly ScopeRowFragment[], rest?: Rest): Line[] {
  const rows = nodes.map((n, i): Line => Object.assign({ level: 1, open: null, posInSet: i + 1, setSize: rest ? -1 : nodes.length }, n))
  return rest ? [...rows, { id: 'more:', level: 1, parentId: '', name: '', ...rest }] : rows
}

/** Agents under those who own them, as far as these are there. */
export function withAgents(nodes: readonly ScopeRowFragment[], agents: readonly ScopeRowFragment[]): ScopeRowFragment[] {
  const ids = new Set(nodes.map((n) => n.id))
  return [...nodes, ...agents.filter((a) => a.budget && a.parentId && ids.has(a.parentId))]
}

/** Agents of Copilot that hold a budget, all pages of them. */
function useAgents(plane: Plane): readonly ScopeRowFragment[] {
  const { rows, more, fetching } = usePages(BudgetAgentsDocument, {}, (d) => d.copilot?.scopes, plane !== 'COPILOT')
  useEffect(() => {
    if (more && !fetching) more()
  }, [more, fetching])
  return rows
}

const keyOf = (under: string, after?: string) => `${under} ${after ?? ''}`

type Page = { nodes: readonly ScopeRowFragment[]; next?: string; fault?: Fault }

/** People and keys of the open teams, page by page. Each page stays watched: the cache tells when a state changes. */
function useLeaves(plane: Plane, teams: readonly string[]) {
  const client = useClient()
  const [cursors, setCursors] = useState<Record<string, readonly string[]>>({})
  const [pages, setPages] = useState<Record<string, Page>>({})
  const asked = teams.flatMap((under) => [undefined, ...(cursors[under] ?? [])].map((after) => ({ under, after })))
  const key = JSON.stringify(asked)
  const watched = useRef<ReadonlySet<string>>(new Set())

  useEffect(() => {
    const now = JSON.parse(key) as typeof asked
    const before = watched.current
    watched.current = new Set(now.map((p) => keyOf(p.under, p.after)))
    const stops = now.map(
      (p) =>
        client.query(BudgetLeavesDocument, { ...ask(plane), ...p }, { requestPolicy: before.has(keyOf(p.under, p.after)) ? 'cache-first' : 'cache-and-network' }).subscribe(({ data, error }) => {
          const scopes = pick(data)?.scopes
          const fault = error && toFault(error)
          setPages((was) => {
            const id = keyOf(p.under, p.after)
            const read = scopes && { nodes: scopes.edges.map((e) => e.node), next: scopes.pageInfo.hasNextPage ? (scopes.pageInfo.endCursor ?? undefined) : undefined }
            return read || fault ? { ...was, [id]: { ...(read ?? was[id] ?? { nodes: [] }), fault } } : was
          })
        }).unsubscribe,
    )
    return () => {
      for (const stop of stops) stop()
    }
  }, [client, key, plane, watched])

  const rest = new Map<string, Rest>()
  for (const under of teams) {
    const newest = pages[keyOf(under, cursors[under]?.at(-1))]
    const { next } = newest ?? {}
    if (!newest && cursors[under]) rest.set(under, { busy: true, more: () => undefined })
    else if (next) rest.set(under, { busy: false, more: () => setCursors((was) => ({ ...was, [under]: [...(was[under] ?? []), next] })) })
  }
  const read = asked.map((p) => pages[keyOf(p.under, p.after)])
  const nodes = new Map(read.flatMap((page) => page?.nodes ?? []).map((n) => [n.id, n]))
  return { nodes: [...nodes.values()], rest, fault: read.find((page) => page?.fault)?.fault }
}

/** The tree as far as it is open and read. */
export function useTree(plane: Plane) {
  const account = useViewer().account.name
  const top = usePages(BudgetTreeDocument, ask(plane), (d) => pick(d)?.scopes)
  const [toggled, setToggled] = useState<Record<string, boolean>>({})
  // Planes and organizations begin open, teams and people closed.
  const isOpen = (n: ScopeRowFragment) => toggled[n.id] ?? !(hasLeaves(n) || n.kind === 'MEMBER')
  const teams = top.rows.filter((n) => hasLeaves(n) && isOpen(n)).map((n) => n.id)
  const leaves = useLeaves(plane, teams)
  const agents = useAgents(plane)
  const nodes = withAgents([...top.rows, ...leaves.nodes], agents).map((n) => named(n, account))
  const rest = new Map(leaves.rest)
  if (top.more || top.fetching) rest.set('', { more: top.more ?? (() => undefined), busy: top.fetching })
  return {
    top: nodes[0],
    lines: layOut(nodes, new Set(nodes.filter(isOpen).map((n) => n.id)), rest),
    loading: top.loading,
    fault: top.fault ?? leaves.fault,
    retry: top.retry,
    toggle: (id: string, on: boolean) => setToggled((was) => ({ ...was, [id]: on })),
  }
}

/** What has a text in its name, wherever it stands; undefined without a text. */
export function useSearch(plane: Plane, text: string) {
  const search = useDebounced(text.trim().slice(0, 100))
  const found = usePages(BudgetSearchDocument, { ...ask(plane), search }, (d) => pick(d)?.scopes, !search)
  if (!search || !text.trim()) return undefined
  const rest = found.more || found.fetching ? { more: found.more ?? (() => undefined), busy: found.fetching } : undefined
  return { lines: layOutFlat(found.rows, rest), loading: found.loading, fault: found.fault, retry: found.retry }
}
