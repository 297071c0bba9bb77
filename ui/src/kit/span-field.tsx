import { t } from '@/lib/i18n'
import type { SpanUnit } from '@/lib/span'
import { Field, Input } from './field'
import { Select } from './select'

const units: readonly { value: SpanUnit; label: string }[] = [
  { value: 'minutes', label: t('minutes') },
  { value: 'hours', label: t('hours') },
  { value: 'days', label: t('days') },
]

export type SpanValue = { amount: string; unit: SpanUnit }

type Props = { label: string; hint?: string; error?: string; value: SpanValue; onChange: (value: SpanValue) => void; disabled?: boolean }

/** A length of time in whole minutes, hours or days. */
export function SpanField({ label, hint, error, value, onChange, disabled }: Props) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => (
        <span className="flex gap-2">
          <Input {...wiring} inputMode="numeric" className="num w-24" value={value.amount} disabled={disabled} onChange={(e) => onChange({ ...value, amount: e.target.value })} />
          <Select aria-label={t('{{label}}: unit', { label })} value={value.unit} onChange={(unit) => onChange({ ...value, unit })} options={units} className="w-32" />
        </span>
      )}
    </Field>
  )
}
