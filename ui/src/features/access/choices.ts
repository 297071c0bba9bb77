import { useEffect, useMemo, useState } from 'react'
import { OwnSeatsDocument, type PlacePartsFragment, PlaceDocument, ResourceChoicesDocument, type ResourceKind, ScopeChoicesDocument, type ScopeKind, SeatChoicesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import type { Item } from '@/kit/picker'
import { useDebounced } from '@/lib/debounce'
import { ask, pick, type Plane } from '@/lib/plane'
import { kindName } from '@/features/budgets'
import { placeName } from '@/features/roles'

type Place = Pick<PlacePartsFragment, 'id' | 'name' | 'kind' | 'location'>

/** A place as an entry of a picker: its path in words, and what it is. */
export const placeItem = (p: Place, account: string): Item => ({ value: p.id, label: placeName(p, p.location, account), note: p.kind === 'CONSOLE' || p.kind === 'COPILOT' ? undefined : kindName[p.kind] })

const parts = (plane: Plane): ScopeKind[] => [plane, 'ORGANIZATION', 'TEAM']

/** Organizations and teams of a plane, whole, the root first. */
export function usePlaces(plane: Plane, pause = false) {
  const { rows, more, fetching, loading, fault, retry } = usePages(ScopeChoicesDocument, { ...ask(plane), kinds: pause ? [plane] : parts(plane) }, (d) => pick(d)?.scopes)
  // A page holds 100; a picker wants all of them.
  useEffect(() => {
    if (more && !fetching && rows.length < 2000) more()
  }, [more, fetching, rows.length])
  return { places: rows, loading, fault, retry }
}

/** Places found by typing: parts of the plane by their names, its people by a search on the server. */
export function useScopeItems(plane: Plane, action?: string) {
  const account = useViewer().account.name
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const { places } = usePlaces(plane)
  const seats = useRead(SeatChoicesDocument, { ...ask(plane), search: search || undefined })
  const items = useMemo(() => {
    const needle = text.trim().toLowerCase()
    const allowed = (n: Pick<PlacePartsFragment, 'viewerCan'>) => !action || may(n, action)
    const found = places.filter(allowed).map((p) => placeItem(p, account))
    const people = (pick(seats.data)?.members.edges ?? []).map((e) => e.node).filter(allowed)
    return [...found.filter((i) => i.label.toLowerCase().includes(needle)), ...people.map((m) => placeItem(m, account))]
  }, [places, seats.data, text, account, action])
  return { items, onSearch: setText, searching: seats.fetching || text !== search }
}

/** The entry of a place or a person that the address names. */
export function useItem(id: string | undefined): Item | null {
  const account = useViewer().account.name
  const { data } = useRead(PlaceDocument, { id: id ?? '' }, !id)
  const node = data?.node
  return useMemo(() => {
    if (!id) return null
    if (node?.id === id && 'kind' in node) return placeItem(node, account)
    if (node?.id === id && 'email' in node) return { value: node.id, label: node.name, note: node.email }
    return { value: id, label: id }
  }, [id, node, account])
}

/** What can be granted, found by typing: from the highest place that the reader sees, else from their own seat. */
export function useResourceItems(plane: Plane, kind: ResourceKind) {
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const { places, loading } = usePlaces(plane, true)
  const own = useRead(OwnSeatsDocument, {}, loading || places.length > 0)
  const scopeId = places[0]?.id ?? (plane === 'CONSOLE' ? own.data?.viewer.console : own.data?.viewer.copilot)?.id
  const found = useRead(ResourceChoicesDocument, { scopeId: scopeId ?? '', kind, search: search || undefined }, !scopeId)
  const items = useMemo(() => (found.data?.access?.resources.edges ?? []).map(({ node: { resource } }): Item => ({ value: resource.id, label: resource.name })), [found.data])
  return { items, onSearch: setText, searching: found.fetching || text !== search }
}
