import { Tabs as Base } from '@base-ui/react/tabs'
import type { ReactNode } from 'react'
import { cx } from './cx'
import { chosen, list, tab } from './link-tabs'

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
