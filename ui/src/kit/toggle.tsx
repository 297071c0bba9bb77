import { Checkbox as BaseCheckbox } from '@base-ui/react/checkbox'
import { Switch as BaseSwitch } from '@base-ui/react/switch'
import { Toggle } from '@base-ui/react/toggle'
import { ToggleGroup } from '@base-ui/react/toggle-group'
import { Check } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from './cx'

export function Switch({ checked, onChange, label, disabled }: { checked: boolean; onChange: (on: boolean) => void; label: string; disabled?: boolean }) {
  return (
    <BaseSwitch.Root
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      className="relative inline-flex h-6 w-10 shrink-0 cursor-pointer items-center rounded-full border border-line-strong bg-track p-0.5 transition-colors data-checked:border-accent data-checked:bg-accent data-disabled:opacity-55"
    >
      <BaseSwitch.Thumb className="size-4.5 rounded-full bg-surface shadow-xs transition-transform data-checked:translate-x-4" />
    </BaseSwitch.Root>
  )
}

export function Checkbox({ checked, onChange, children }: { checked: boolean; onChange: (on: boolean) => void; children: ReactNode }) {
  return (
    <label className="flex min-h-6 cursor-pointer items-start gap-2.5 text-sm">
      <BaseCheckbox.Root
        checked={checked}
        onCheckedChange={(on) => onChange(on)}
        className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-sm border border-line-strong bg-surface data-checked:border-accent data-checked:bg-accent"
      >
        <BaseCheckbox.Indicator>
          <Check aria-hidden className="size-3 stroke-3 text-accent-fg" />
        </BaseCheckbox.Indicator>
      </BaseCheckbox.Root>
      <span>{children}</span>
    </label>
  )
}

type SegmentsProps<V extends string> = {
  value: V
  onChange: (value: V) => void
  options: readonly { value: V; label: ReactNode }[]
  label: string
  className?: string
}

export function Segments<V extends string>({ value, onChange, options, label, className }: SegmentsProps<V>) {
  return (
    <ToggleGroup
      value={[value]}
      onValueChange={(v) => v[0] && onChange(v[0] as V)}
      aria-label={label}
      className={cx('inline-flex max-w-full overflow-x-auto rounded-md bg-hover p-0.5', className)}
    >
      {options.map((o) => (
        <Toggle
          key={o.value}
          value={o.value}
          className="h-7 shrink-0 grow rounded-[5px] px-3 text-sm font-medium text-muted transition-colors hover:text-fg data-pressed:bg-surface data-pressed:text-fg data-pressed:shadow-xs focus-visible:-outline-offset-2"
        >
          {o.label}
        </Toggle>
      ))}
    </ToggleGroup>
  )
}
