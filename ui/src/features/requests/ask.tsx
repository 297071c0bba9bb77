import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { RequestCreateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = { scope: { id: string; name: string; kind?: string }; unit: Unit; onClose: () => void }

const inDays = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

/** Asks for more budget for a scope. */
export function AskDialog({ scope, unit, onClose }: Props) {
  const create = useMutate(RequestCreateDocument, { once: true })
  const [amount, setAmount] = useState('')
  const [reason, setReason] = useState('')
  const [how, setHow] = useState<'good' | 'until'>('good')
  const [until, setUntil] = useState(() => inDays(14))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const send = async (e: FormEvent) => {
    e.preventDefault()
    const plain = parseAmount(amount)
    const wrong: Record<string, string> = {}
    if (plain === null || Number(plain) <= 0) wrong.amount = t('Enter an amount such as 1200 or 12.50.')
    if (!reason.trim()) wrong.reason = t('Say why, in a sentence.')
    setErrors(wrong)
    if (Object.keys(wrong).length > 0) return
    const payload = await create.run({ input: { scopeId: scope.id, amount: plain!, reason, until: how === 'until' ? new Date(`${until}T23:59:59`).toISOString() : undefined } })
    if (!payload) return
    if (payload.errors[0]) return setErrors({ ...byField(payload.errors), all: payload.errors.find((x) => x.path.length === 0 || x.path[0] === 'scopeId')?.message ?? '' })
    toast(payload.request?.atPlatform ? t('Sent to the people who run this Cockpit') : t('Sent to the admins of {{place}}', { place: payload.request?.waitsAt ?? '' }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Ask for more')} description={scope.kind === 'COPILOT' ? t('For all of Copilot. The platform gives the account its credits: its super admins read this, and decide.') : t('For {{name}}. The admins above decide; you see here what became of it.', { name: scope.name })}>
      <form noValidate onSubmit={send} className="flex flex-col gap-4">
        <Field label={unit === 'USD' ? t('How much more, in $') : t('How many credits more')} required error={errors.amount}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" autoComplete="off" value={amount} onChange={(e) => setAmount(e.target.value)} className="num" />}
        </Field>
        <div className="flex flex-col gap-2">
          <Segments label={t('For how long')} value={how} onChange={setHow} options={[{ value: 'good', label: t('For good') }, { value: 'until', label: t('For a time') }]} className="self-start" />
          {how === 'until' && (
            <Field label={t('Until the end of')} error={errors.until}>
              {(wiring) => <Input {...wiring} type="date" min={inDays(0)} max={inDays(365)} value={until} onChange={(e) => setUntil(e.target.value)} className="w-44" />}
            </Field>
          )}
        </div>
        <Field label={t('Why')} required error={errors.reason}>
          {(wiring) => <Textarea {...wiring} maxLength={1000} value={reason} onChange={(e) => setReason(e.target.value)} />}
        </Field>
        {errors.all && (
          <p role="alert" className="text-bad">
            {errors.all}
          </p>
        )}
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy}>
            {t('Send request')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
