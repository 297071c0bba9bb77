import { Combobox } from '@base-ui/react/combobox'
import { Check, ChevronsUpDown, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { t } from '@/lib/i18n'
import { cx } from './cx'
import { inputClass } from './field'

export type Item = { value: string; label: string; note?: string }

type Aria = { id?: string; 'aria-label'?: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

const popup = 'popup max-h-72 w-(--anchor-width) overflow-y-auto rounded-md border border-line bg-raised p-1 shadow-lg outline-none'
const option = 'flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2.5 py-1 text-sm outline-none select-none data-highlighted:bg-hover'

function Options({ empty = t('Nothing is called that.') }: { empty?: ReactNode }) {
  return (
    <Combobox.Portal>
      <Combobox.Positioner sideOffset={4} className="z-50 outline-none">
        <Combobox.Popup className={popup}>
          <Combobox.Empty className="px-2.5 text-sm text-muted not-empty:py-2">{empty}</Combobox.Empty>
          <Combobox.List aria-label={t('Choices')}>
            {(item: Item) => (
              <Combobox.Item key={item.value} value={item} className={option}>
                <span className="min-w-0 grow truncate">
                  {item.label} {item.note && <span className="text-xs text-muted">{item.note}</span>}
                </span>
                <Combobox.ItemIndicator>
                  <Check aria-hidden className="size-3.5" />
                </Combobox.ItemIndicator>
              </Combobox.Item>
            )}
          </Combobox.List>
        </Combobox.Popup>
      </Combobox.Positioner>
    </Combobox.Portal>
  )
}

const named = (item: Item) => [item.label, item.note].filter(Boolean).join(' ')

type Props = Aria & { items: readonly Item[]; value: string | null; onChange: (value: string) => void; placeholder?: string; className?: string; /** Finds by the notes too. */ notes?: boolean }

/** One of many, found by typing. */
export function Picker({ items, value, onChange, placeholder, className, notes, ...aria }: Props) {
  const { contains } = Combobox.useFilter()
  return (
    <Combobox.Root autoHighlight items={items} filter={notes ? (item: Item, text) => contains(item, text, named) : undefined} value={items.find((i) => i.value === value) ?? null} onValueChange={(item: Item | null) => item && onChange(item.value)}>
      <div className="relative">
        <Combobox.Input {...aria} placeholder={placeholder} className={cx(inputClass, 'pe-8', className)} />
        <Combobox.Trigger aria-label={t('Show all')} className="absolute end-1.5 top-1/2 flex -translate-y-1/2 size-6 items-center justify-center rounded-sm text-muted">
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </Combobox.Trigger>
      </div>
      <Options />
    </Combobox.Root>
  )
}

type SearchProps = Aria & { items: readonly Item[]; value: Item | null; onChange: (item: Item) => void; onSearch: (text: string) => void; searching: boolean; placeholder?: string; empty?: string; className?: string }

/** One of more than can be listed: what is typed is looked up on the server. */
export function SearchPicker({ items, value, onChange, onSearch, searching, placeholder, empty, className, ...aria }: SearchProps) {
  // What is chosen stays among the items, so that its name stays in the field; last, so that Enter takes what was found.
  const all = value && items.every((i) => i.value !== value.value) ? [...items, value] : items
  return (
    <Combobox.Root
      autoHighlight
      filter={null}
      items={all}
      value={value && (all.find((i) => i.value === value.value) ?? value)}
      onValueChange={(item: Item | null) => item && onChange(item)}
      onInputValueChange={(text, details) => details.reason === 'input-change' && onSearch(text)}
    >
      <div className="relative">
        <Combobox.Input {...aria} placeholder={placeholder} className={cx(inputClass, 'pe-8', className)} />
        <Combobox.Trigger aria-label={t('Show all')} className="absolute end-1.5 top-1/2 flex -translate-y-1/2 size-6 items-center justify-center rounded-sm text-muted">
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </Combobox.Trigger>
      </div>
      <Options empty={searching ? t('Searching…') : empty} />
    </Combobox.Root>
  )
}

type ManyProps = Aria & { items: readonly Item[]; value: readonly string[]; onChange: (value: string[]) => void; placeholder?: string }

/** Several of many, as chips. */
export function ManyPicker({ items, value, onChange, placeholder, ...aria }: ManyProps) {
  return (
    <Combobox.Root autoHighlight items={items} multiple value={items.filter((i) => value.includes(i.value))} onValueChange={(chosen: Item[]) => onChange(chosen.map((i) => i.value))}>
      <Combobox.Chips className={cx(inputClass, 'flex h-auto min-h-9 flex-wrap items-center gap-1 p-1 focus-within:border-accent focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent')}>
        <Combobox.Value>
          {(chosen: Item[]) => (
            <>
              {chosen.map((i) => (
                <Combobox.Chip key={i.value} aria-label={i.label} className="flex h-6 items-center gap-1 rounded-sm bg-accent-soft ps-2 text-xs font-medium text-accent-text">
                  {i.label}
                  <Combobox.ChipRemove aria-label={t('Remove {{name}}', { name: i.label })} className="flex size-6 items-center justify-center rounded-sm">
                    <X aria-hidden className="size-3" />
                  </Combobox.ChipRemove>
                </Combobox.Chip>
              ))}
              <Combobox.Input {...aria} placeholder={chosen.length ? '' : placeholder} className="h-6 min-w-24 grow bg-transparent px-2 text-sm outline-none" />
            </>
          )}
        </Combobox.Value>
      </Combobox.Chips>
      <Options />
    </Combobox.Root>
  )
}
