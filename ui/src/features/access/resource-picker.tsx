import type { ResourceKind } from '@/graphql/generated/graphql'
import { type Item, SearchPicker } from '@/kit/picker'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { useResourceItems } from './choices'
import { kindWords } from './kinds'

type Props = {
  plane: Plane
  kind: ResourceKind
  value: Item | null
  onChange: (item: Item) => void
  className?: string
  id?: string
  'aria-label'?: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

/** A model, an agent, a connection or a tool of a plane. */
export function ResourcePicker({ plane, kind, value, onChange, ...aria }: Props) {
  const { items, onSearch, searching } = useResourceItems(plane, kind)
  return <SearchPicker {...aria} items={items} value={value} onChange={onChange} onSearch={onSearch} searching={searching} placeholder={kindWords[kind].which} empty={t('Nothing within your reach is called that.')} />
}
