import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { RequestApproveDocument, type RequestPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { moneyWords, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { asked } from './words'

type Props = { request: RequestPartsFragment; onDone: () => void; onClose: () => void }

const inDays = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

/** Gives another amount of budget than was asked, or for another time, and says why. */
export function GiveBudget({ request: r, onDone, onClose }: Props) {
  const approve = useMutate(RequestApproveDocument)
  const most = r.impact && !r.impact.fits ? r.impact.available : r.amount
  const [amount, setAmount] = useState(most)
  const [how, setHow] = useState<'good' | 'until'>(r.until ? 'until' : 'good')
  const [until, setUntil] = useState(r.until?.slice(0, 10) ?? inDays(14))
  const [note, setNote] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const plain = parseAmount(amount)
    if (plain === null || Number(plain) <= 0) return setErrors({ amount: t('Enter an amount such as 1200 or 12.50.') })
    if (Number(plain) > Number(r.amount)) return setErrors({ amount: t('No more can be given than was asked.') })
    const good = how === 'good'
    const payload = await approve.run({ input: { requestId: r.id, amount: plain, until: good ? undefined : new Date(`${until}T23:59:59`).toISOString(), forGood: good, note, expectedVersion: r.version } })
    if (!payload) return
    const first = payload.errors[0]
    if (!first) {
      toast(t('{{name}} gets {{amount}}', { name: r.requesterName, amount: moneyWords(plain, r.unit) }))
      return onDone()
    }
    setErrors({ ...byField(payload.errors), all: payload.errors.find((e) => !['amount', 'until', 'note'].includes(e.path[0] ?? ''))?.message ?? '' })
    if ('available' in first && Number(first.available) > 0) setAmount(first.available)
  }
  return (
    <Dialog open onClose={onClose} title={t('Approve with changes')} description={t('{{name}} asked for {{what}}.', { name: r.requesterName, what: asked(r) })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <Field label={r.unit === 'USD' ? t('How much, in $') : t('How many credits')} required error={errors.amount} hint={most === r.amount ? t('At most what was asked.') : t('You can give up to {{amount}}.', { amount: moneyWords(most, r.unit) })}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" autoComplete="off" value={amount} onFocus={(e) => e.target.select()} onChange={(e) => setAmount(e.target.value)} className="num" />}
        </Field>
        <div className="flex flex-col gap-2">
          <Segments label={t('For how long')} value={how} onChange={setHow} options={[{ value: 'good', label: t('For good') }, { value: 'until', label: t('For a time') }]} className="self-start" />
          {how === 'until' && (
            <Field label={t('Until the end of')} error={errors.until}>
              {(wiring) => <Input {...wiring} type="date" min={inDays(0)} max={inDays(365)} value={until} onChange={(e) => setUntil(e.target.value)} className="w-44" />}
            </Field>
          )}
        </div>
        <Field label={t('Note')} error={errors.note} hint={t('{{name}} reads this.', { name: r.requesterName })}>
          {(wiring) => <Textarea {...wiring} maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}
        </Field>
        {errors.all && (
          <p role="alert" className="text-bad">
            {errors.all}
          </p>
        )}
        {approve.fault && <ErrorBar fault={approve.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={approve.busy}>
            {t('Approve')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
