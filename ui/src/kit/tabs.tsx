import { Tabs as Base } from '@base-ui/react/tabs'
import { Link, useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { cx } from './cx'

const list = 'flex max-w-full gap-1 overflow-x-auto border-b border-line'
const tab = 'relative flex h-9 shrink-0 items-center gap-1.5 rounded-t-md px-3 text-sm font-medium text-muted transition-colors hover:text-fg focus-visible:-outline-offset-2'
const chosen = 'text-accent-text after:absolute after:inset-x-2 after:-bottom-px after:h-0.5 after:rounded-full after:bg-accent hover:text-accent-text'

type LinkTab = { to: string; label: string }

/** Pages that belong together; each has an address of its own. */
export function LinkTabs({ tabs, label }: { tabs: readonly LinkTab[]; label: string }) {
  const { pathname } = useLocation()
  if (tabs.length < 2) return null
  return (
    <nav aria-label={label} className={cx(list, 'mb-5')}>
      {tabs.map((p) => (
        <Link key={p.to} to={p.to} aria-current={pathname === p.to ? 'page' : undefined} className={cx(tab, pathname === p.to && chosen)}>
          {p.label}
        </Link>
      ))}
    </nav>
  )
}

type Tab<V extends string> = { value: V; label: ReactNode; content: ReactNode }

type Props<V extends string> = { tabs: readonly Tab<V>[]; value: V; onChange: (value: V) => void; label: string }

/** Parts of one thing, side by side; only the chosen one is there. */
export function Tabs<V extends string>({ tabs, value, onChange, label }: Props<V>) {
  return (
    <Base.Root value={value} onValueChange={(v) => onChange(v as V)}>
      <Base.List aria-label={label} className={list}>
        {tabs.map((p) => (
          <Base.Tab key={p.value} value={p.value} className={cx(tab, p.value === value && chosen)}>
            {p.label}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map((p) => (
        <Base.Panel key={p.value} value={p.value} className="pt-4 outline-offset-4">
          {p.content}
        </Base.Panel>
      ))}
    </Base.Root>
  )
}
