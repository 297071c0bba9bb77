import { Select as Base } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import { cx } from './cx'
import { inputClass } from './field'

type Option<V extends string = string> = { value: V; label: string }

type Props<V extends string> = {
  value: V | null
  onChange: (value: V) => void
  options: readonly Option<V>[]
  placeholder?: string
  className?: string
  id?: string
  'aria-label'?: string
  'aria-describedby'?: string
  'aria-invalid'?: true
}

export function Select<V extends string>({ value, onChange, options, placeholder, className, ...aria }: Props<V>) {
  return (
    <Base.Root items={options} value={value} onValueChange={(v) => v !== null && onChange(v as V)}>
      <Base.Trigger {...aria} className={cx(inputClass, 'flex items-center justify-between gap-2 text-start', className)}>
        <Base.Value className="truncate">{(v: string | null) => options.find((o) => o.value === v)?.label ?? <span className="text-muted">{placeholder}</span>}</Base.Value>
        <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-muted" />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50 outline-none">
          <Base.Popup className="popup max-h-72 min-w-(--anchor-width) overflow-y-auto rounded-md border border-line bg-raised p-1 shadow-lg">
            {options.map((o) => (
              <Base.Item
                key={o.value}
                value={o.value}
                className="flex h-8 cursor-default items-center justify-between gap-4 rounded-sm px-2.5 text-sm outline-none select-none data-highlighted:bg-hover"
              >
                <Base.ItemText>{o.label}</Base.ItemText>
                <Base.ItemIndicator>
                  <Check aria-hidden className="size-3.5" />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
