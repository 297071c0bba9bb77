import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { SupportStartDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import type { Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Textarea } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { minutesWords } from '@/lib/span'
import { lengths, sees } from './words'

type Props = { account: { id: string; name: string }; onClose: () => void; onEntered: (viewer: Viewer) => void }

const options = lengths.map((n) => ({ value: String(n), label: minutesWords(n) }))

function Told({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <section>
      <h3 className="text-sm font-medium">{title}</h3>
      <ul className="mt-1 list-disc space-y-1 ps-4 text-muted">
        {lines.map((l) => (
          <li key={l}>{l}</li>
        ))}
      </ul>
    </section>
  )
}

/** The door into an account: why, for how long, to do what, and what the account will see of it. */
export function EnterAccount({ account, onClose, onEntered }: Props) {
  const start = useMutate(SupportStartDocument)
  const [reason, setReason] = useState('')
  const [minutes, setMinutes] = useState('30')
  const [mode, setMode] = useState<'read' | 'write'>('read')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const enter = async (event: FormEvent) => {
    event.preventDefault()
    if (reason.trim().length < 10) return setErrors({ reason: t('Give a reason of at least 10 characters: people of the account read it.') })
    const payload = await start.run({ input: { accountId: account.id, reason: reason.trim(), minutes: Number(minutes), writes: mode === 'write' } })
    if (!payload) return
    if (payload.viewer) return onEntered(payload.viewer)
    setErrors(byField(payload.errors))
  }
  const { yes, no } = sees(mode === 'write')
  const other = errors[''] ?? errors.accountId ?? errors.writes
  return (
    <Dialog open onClose={onClose} title={t('Enter {{account}}', { account: account.name })} description={t('Time-boxed, for a reason, and open to the account from the first second.')} className="max-w-2xl">
      <form noValidate onSubmit={enter} className="flex flex-col gap-4">
        <Field label={t('Reason')} required error={errors.reason} hint={t('Shown to the admins of {{account}}, and kept in both audit logs.', { account: account.name })}>
          {(wiring) => <Textarea {...wiring} autoFocus value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} placeholder={t('Ticket 4711: a budget blocks the claims service')} className="min-h-16" />}
        </Field>
        <Field label={t('For')} error={errors.minutes} className="sm:w-48">
          {(wiring) => <Select {...wiring} value={minutes} onChange={setMinutes} options={options} />}
        </Field>
        <RadioCards
          label={t('To')}
          value={mode}
          onChange={setMode}
          options={[
            { value: 'read', label: t('Read only'), note: t('As an auditor of the account. Enough to find out what is wrong.') },
            { value: 'write', label: t('Read and change'), note: t('As an admin of the account. Every change stands in its audit log under your name.') },
          ]}
        />
        <div className="grid gap-x-6 gap-y-3 rounded-lg border border-line bg-bg px-3.5 py-3 text-xs sm:grid-cols-3">
          <Told title={t('You see')} lines={yes} />
          <Told title={t('You never')} lines={no} />
          <Told title={t('{{account}} sees', { account: account.name })} lines={[t('your name, the reason and the time, at once, on every page of its admins'), t('and can end it at any moment')]} />
        </div>
        {other && (
          <p role="alert" className="text-bad">
            {other}
          </p>
        )}
        {start.fault && <ErrorBar fault={start.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="danger" busy={start.busy}>
            {t('Enter as support')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
