import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { BudgetMoveDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { money, moneyWords, parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Plan } from './plan'
import { usePreview } from './preview'
import type { Row } from './tree'

type Props = { from: Row; to?: string; neighbours: readonly Row[]; unit: Unit; onClose: () => void }

/** Takes from one and gives to a neighbour, with both shown as they will be. */
export function MoveBudget({ from, to, neighbours, unit, onClose }: Props) {
  const [giver, setGiver] = useState(from.id)
  const [taker, setTaker] = useState(to ?? neighbours.find((n) => n.id !== from.id)?.id ?? '')
  const [text, setText] = useState('')
  const [below, setBelow] = useState(false)
  const [touched, setTouched] = useState(false)
  const { run, busy, fault } = useMutate(BudgetMoveDocument, { once: true })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const amount = parseAmount(text)
  const input = amount && giver !== taker ? { fromId: giver, toId: taker, amount, belowSpent: below } : null
  const preview = usePreview(BudgetMoveDocument, input)
  const name = (id: string) => neighbours.find((n) => n.id === id)?.name ?? ''
  const options = neighbours.map((n) => ({ value: n.id, label: `${n.name} · ${money(n.budget!.limit, unit)}` }))
  const wrong = preview.refusal?.message ?? errors.amount ?? errors[''] ?? (touched && !amount ? t('Enter an amount such as 1200 or 12.50.') : undefined)

  const move = async () => {
    setTouched(true)
    if (!input) return
    const payload = await run({ input })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('{{amount}} moved from {{from}} to {{to}}', { amount: moneyWords(amount!, unit), from: name(giver), to: name(taker) }))
    onClose()
  }

  return (
    <Dialog open onClose={onClose} title={t('Move budget')} description={t('Between neighbours, at once: one gives, the other gets.')}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          void move()
        }}
        className="flex flex-col gap-4"
      >
        <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
          <Field label={t('From')} error={errors.fromId}>
            {(wiring) => <Select {...wiring} value={giver} onChange={setGiver} options={options} />}
          </Field>
          <Field label={t('To')} error={errors.toId ?? (giver === taker ? t('Choose another place to move it to.') : undefined)}>
            {(wiring) => <Select {...wiring} value={taker} onChange={setTaker} options={options} />}
          </Field>
        </div>
        <Field label={unit === 'USD' ? t('Amount, $') : t('Amount in credits')} error={wrong}>
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
        {preview.refusal?.available && Number(preview.refusal.available) > 0 && (
          <Button size="sm" className="self-start" onClick={() => setText(preview.refusal!.available!)}>
            {t('Use {{amount}}', { amount: moneyWords(preview.refusal.available, unit) })}
          </Button>
        )}
        <Checkbox checked={below} onChange={setBelow}>
          {t('Even below what {{name}} has spent', { name: name(giver) })}
        </Checkbox>
        {input && (
          <div className="rounded-lg bg-hover/60 px-3 py-2">
            <Plan preview={preview} unit={unit} />
            {preview.refusal && <p className="text-muted">{t('Nothing would change.')}</p>}
          </div>
        )}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={Boolean(preview.refusal)}>
            {t('Move budget')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
