import { type Item, SearchPicker } from '@/kit/picker'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { useScopeItems } from './choices'

type Props = {
  plane: Plane
  value: Item | null
  onChange: (item: Item) => void
  /** Only places where the viewer may do this. */
  action?: string
  placeholder?: string
  className?: string
  id?: string
  'aria-label'?: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

/** A place of a plane's tree: the plane, an organization, a team or somebody's seat. */
export function ScopePicker({ plane, value, onChange, action, placeholder = t('Organization, team or user'), ...aria }: Props) {
  const { items, onSearch, searching } = useScopeItems(plane, action)
  return <SearchPicker {...aria} items={items} value={value} onChange={onChange} onSearch={onSearch} searching={searching} placeholder={placeholder} empty={t('No place within your reach is called that.')} />
}
