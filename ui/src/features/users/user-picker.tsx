import { useMemo, useState } from 'react'
import { FindUsersDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { type Item, SearchPicker } from '@/kit/picker'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'

type Props = { value: Item | null; onChange: (user: Item) => void; exclude?: ReadonlySet<string>; placeholder?: string; className?: string; id?: string; 'aria-label'?: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** Somebody of the account, found by name or e-mail address. */
export function UserPicker({ value, onChange, exclude, placeholder = t('Name or e-mail address'), ...aria }: Props) {
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const { data, fetching } = useRead(FindUsersDocument, { search: search || undefined })
  const items = useMemo(() => (data?.account?.users?.edges ?? []).filter(({ node }) => !exclude?.has(node.id)).map(({ node }) => ({ value: node.id, label: node.name, note: node.email })), [data, exclude])
  return (
    <SearchPicker
      {...aria}
      items={items}
      value={value}
      onChange={onChange}
      onSearch={setText}
      searching={fetching || text !== search}
      placeholder={placeholder}
      empty={t('Nobody within your reach is called that. Invite them instead.')}
    />
  )
}
