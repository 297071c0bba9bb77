import { useEffect, useMemo, useState } from 'react'
import { type PlaceOptionFragment, PlaceSearchDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { type Item, SearchPicker } from '@/kit/picker'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { placeName } from './words'

export type PlaceItem = Item & { kind: ScopeKind }

const roots = new Set<ScopeKind>(['ACCOUNT', 'CONSOLE', 'COPILOT'])

const notes: Partial<Record<ScopeKind, string>> = { ORGANIZATION: t('Organization'), TEAM: t('Team'), MEMBER: t('User') }

type Props = {
  /** Places of this plane; left out: of the whole account. */
  plane?: Plane
  /** What the viewer must be allowed to do there. */
  action: string
  kinds: readonly ScopeKind[]
  value: PlaceItem | null
  onChange: (place: PlaceItem) => void
  placeholder: string
  id?: string
  'aria-label'?: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

/** A place to hand something out at: the server looks for what is typed, however many there are. */
export function PlacePicker({ plane, action, kinds, value, onChange, placeholder, ...aria }: Props) {
  const [text, setText] = useState('')
  const { items, searching } = usePlaceItems(text, { plane, action, kinds })
  // Who has one place has nothing to choose.
  const only = !text && !searching && items.length === 1 ? items[0] : undefined
  useEffect(() => {
    if (only && !value) onChange(only)
  }, [only, value, onChange])
  return (
    <SearchPicker
      {...aria}
      items={items}
      value={value}
      onChange={(item) => onChange(items.find((i) => i.value === item.value) ?? value!)}
      onSearch={setText}
      searching={searching}
      placeholder={placeholder}
      empty={t('No place within your reach is called that.')}
    />
  )
}

function usePlaceItems(text: string, { plane, action, kinds }: Pick<Props, 'plane' | 'action' | 'kinds'>) {
  const { id, name: account, planes } = useViewer().account
  const search = useDebounced(text)
  const used = (p: Plane) => (plane ? p === plane : planes.includes(p))
  const { data, fetching } = useRead(PlaceSearchDocument, {
    account: !plane && kinds.includes('ACCOUNT'),
    console: used('CONSOLE'),
    copilot: used('COPILOT'),
    kinds: kinds.filter((k) => !roots.has(k)),
    // Names are searched one by one: of "Banking / Risk" the last.
    search: search.split('/').at(-1)!.trim() || undefined,
  })
  const items = useMemo(() => {
    const words = text.toLowerCase().split('/').map((part) => part.trim())
    const found: PlaceItem[] = []
    const add = (item: PlaceItem) => words.every((word) => item.label.toLowerCase().includes(word)) && found.push(item)
    if (may(data?.account, action)) add({ value: id, kind: 'ACCOUNT', label: t('All of {{account}}', { account }) })
    for (const root of [data?.console, data?.copilot]) {
      for (const node of root ? [root, ...root.scopes.edges.map((e) => e.node)] : []) {
        if (may(node, action) && kinds.includes(node.kind)) add(placeItem(node, account, { both: !plane && planes.length > 1, kind: kinds.length > 1 }))
      }
    }
    return found
  }, [data, text, action, kinds, id, account, plane, planes])
  return { items, searching: fetching || text !== search }
}

function placeItem(node: PlaceOptionFragment, account: string, tell: { both: boolean; kind: boolean }): PlaceItem {
  const label = placeName(node, node.location, account, tell.both ? (node.plane ?? undefined) : undefined)
  return { value: node.id, kind: node.kind, label, note: tell.kind ? notes[node.kind] : undefined }
}
