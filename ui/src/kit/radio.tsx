import { Radio } from '@base-ui/react/radio'
import { RadioGroup } from '@base-ui/react/radio-group'
import { type ReactNode, useId } from 'react'

type Props<V extends string> = { label: string; value: V; onChange: (value: V) => void; options: readonly { value: V; label: ReactNode; note?: ReactNode }[] }

/** One of a few, each with what it means. */
export function RadioCards<V extends string>({ label, value, onChange, options }: Props<V>) {
  const id = useId()
  return (
    <div className="flex flex-col gap-1.5">
      <span id={id} className="text-sm font-medium">
        {label}
      </span>
      <RadioGroup aria-labelledby={id} value={value} onValueChange={(v) => onChange(v as V)} className="flex flex-col gap-1.5">
        {options.map((o) => (
          <label key={o.value} className="flex cursor-pointer items-start gap-3 rounded-md border border-line px-3 py-2 transition-colors hover:bg-hover/60 has-data-checked:border-accent has-data-checked:bg-accent-soft/40">
            <Radio.Root value={o.value} className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-full border border-line-strong bg-surface data-checked:border-accent data-checked:bg-accent">
              <Radio.Indicator className="size-1.5 rounded-full bg-accent-fg" />
            </Radio.Root>
            <span className="min-w-0">
              <span className="block font-medium">{o.label}</span>
              {o.note && <span className="block text-xs text-muted">{o.note}</span>}
            </span>
          </label>
        ))}
      </RadioGroup>
    </div>
  )
}
