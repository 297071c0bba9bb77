import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { BudgetIncreaseDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { moneyWords, parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { dayFrom, endOfDay } from '@/lib/zone'
import { Plan } from './plan'
import { usePreview } from './preview'
import { useAccountZone } from './zone'

type Props = { scope: { id: string; name: string }; unit: Unit; onClose: () => void }

/** Raises a limit until a day; it goes back by itself. */
export function RaiseBudget({ scope, unit, onClose }: Props) {
  const [text, setText] = useState('')
  const zone = useAccountZone()
  const [until, setUntil] = useState(() => dayFrom(zone, 7))
  const [today] = useState(() => dayFrom(zone))
  const [reason, setReason] = useState('')
  const [touched, setTouched] = useState(false)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const { run, busy, fault } = useMutate(BudgetIncreaseDocument, { once: true })
  const amount = parseAmount(text)
  const endsAt = endOfDay(until, zone)
  const input = amount && endsAt ? { scopeId: scope.id, amount, endsAt } : null
  const preview = usePreview(BudgetIncreaseDocument, input)
  const wrong = preview.refusal?.message ?? errors.amount ?? errors[''] ?? (touched && !amount ? t('Enter an amount such as 1200 or 12.50.') : undefined)

  const raise = async () => {
    setTouched(true)
    if (!input) return
    const payload = await run({ input: { ...input, reason: reason.trim() || undefined } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('{{name}} has {{amount}} more for a while', { name: scope.name, amount: moneyWords(amount!, unit) }))
    onClose()
  }

  return (
    <Dialog open onClose={onClose} title={t('Raise {{name}} for a while', { name: scope.name })} description={t('On top of its limit, until a day. Then it goes back by itself.')}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          void raise()
        }}
        className="flex flex-col gap-4"
      >
        <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
          <Field label={unit === 'USD' ? t('By how much, $') : t('By how many credits')} error={wrong}>
            {(wiring) => (
              <Input
                {...wiring}
                autoFocus
                inputMode="decimal"
                autoComplete="off"
                className="num"
                value={text}
                onChange={(e) => {
                  setText(e.target.value)
                  setErrors({})
                }}
              />
            )}
          </Field>
          <Field label={t('Until the end of')} hint={t('In {{zone}}.', { zone })} error={errors.endsAt ?? (endsAt ? undefined : t('Choose a day.'))}>
            {(wiring) => <Input {...wiring} type="date" min={today} value={until} onChange={(e) => setUntil(e.target.value)} />}
          </Field>
        </div>
        <Field label={t('Why')} hint={t('For whoever looks at it later. Optional.')} error={errors.reason}>
          {(wiring) => <Textarea {...wiring} rows={2} maxLength={500} className="min-h-16" value={reason} onChange={(e) => setReason(e.target.value)} />}
        </Field>
        {input && !preview.refusal && (
          <div className="rounded-lg bg-hover/60 px-3 py-2">
            <Plan preview={preview} unit={unit} />
          </div>
        )}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={Boolean(preview.refusal)}>
            {t('Raise limit')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
