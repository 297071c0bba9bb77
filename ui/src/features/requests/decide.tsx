import { ArrowUp, Check, UserRoundPlus, X } from 'lucide-react'
import { useState } from 'react'
import { RequestApproveDocument, RequestDeclineDocument, RequestDelegateDocument, type RequestPartsFragment, RequestPassUpDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Field, Textarea } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { moneyWords } from '@/lib/format'
import { t } from '@/lib/i18n'
import { GiveBudget } from './give-budget'
import { GivePart } from './give-part'

type Props = { request: RequestPartsFragment; onDecided?: () => void }

/** Approve in one press, or with changes; decline with a reason; hand it up where it doesn't fit. */
export function Decide({ request, onDecided }: Props) {
  const approve = useMutate(RequestApproveDocument)
  const [error, setError] = useState<string>()
  const [asking, setAsking] = useState<'decline' | 'passUp' | 'delegate' | 'part'>()
  const { unit, impact } = request
  const budget = request.kind === 'BUDGET'
  const stuck = request.accessImpact?.holds === false
  const short = impact && !impact.fits
  const some = short && Number(impact.available) > 0
  const give = async () => {
    setError(undefined)
    const amount = budget ? (some ? impact.available : request.amount) : undefined
    const payload = await approve.run({ input: { requestId: request.id, amount, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(amount ? t('{{name}} gets {{amount}}', { name: request.requesterName, amount: moneyWords(amount, unit) }) : t('The request of {{name}} is approved', { name: request.requesterName }))
    onDecided?.()
  }
  const close = () => setAsking(undefined)
  const done = () => {
    close()
    onDecided?.()
  }
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2 max-sm:gap-1.5 max-sm:[&_svg]:hidden">
        <Button variant="primary" size="sm" busy={approve.busy} disabled={Boolean((short && !some) || stuck)} onClick={give}>
          <Check aria-hidden /> {some ? t('Give {{amount}}', { amount: moneyWords(impact.available, unit) }) : t('Approve')}
        </Button>
        {!(short && !some) && (budget || request.kind === 'ACCESS') && (
          <Button size="sm" disabled={stuck} onClick={() => setAsking('part')}>
            {budget ? t('Change and approve…') : t('Give a part')}
          </Button>
        )}
        {may(request, 'request.passUp') && (
          <Button size="sm" variant={short || stuck ? 'secondary' : 'ghost'} onClick={() => setAsking('passUp')}>
            <ArrowUp aria-hidden /> {t('Pass up')}
          </Button>
        )}
        {request.deciders.length > 0 && (
          <Button size="sm" variant="ghost" onClick={() => setAsking('delegate')}>
            <UserRoundPlus aria-hidden /> {t('Hand over')}
          </Button>
        )}
        <Button size="sm" variant="ghost" onClick={() => setAsking('decline')}>
          <X aria-hidden /> {t('Decline')}
        </Button>
      </div>
      {error && (
        <p role="alert" className="text-sm text-bad">
          {error}
        </p>
      )}
      {approve.fault && <ErrorBar fault={approve.fault} />}
      {asking === 'decline' && <Decline request={request} onDone={done} onClose={close} />}
      {asking === 'delegate' && <Delegate request={request} onDone={done} onClose={close} />}
      {asking === 'part' && (budget ? <GiveBudget request={request} onDone={done} onClose={close} /> : <GivePart request={request} onClose={close} />)}
      {asking === 'passUp' && <PassUp request={request} onDone={done} onClose={close} />}
    </div>
  )
}

type AskProps = { request: RequestPartsFragment; onDone: () => void; onClose: () => void }

function Decline({ request, onDone, onClose }: AskProps) {
  const decline = useMutate(RequestDeclineDocument)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await decline.run({ input: { requestId: request.id, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The request of {{name}} is declined', { name: request.requesterName }))
    onDone()
  }
  return (
    <Confirm title={t('Decline the request of {{name}}?', { name: request.requesterName })} action={t('Decline')} keep={t('Keep it open')} busy={decline.busy} blocked={!note.trim()} fault={decline.fault} onConfirm={run} onClose={onClose}>
      <Field label={t('Why')} required error={error} hint={t('{{name}} reads this.', { name: request.requesterName })}>
        {(wiring) => <Textarea {...wiring} autoFocus maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}
      </Field>
    </Confirm>
  )
}

function PassUp({ request, onDone, onClose }: AskProps) {
  const pass = useMutate(RequestPassUpDocument)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const credits = request.kind === 'BUDGET' && request.plane === 'COPILOT'
  const run = async () => {
    const payload = await pass.run({ input: { requestId: request.id, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(payload.request?.atPlatform ? t('It waits for the people who run this Cockpit now') : t('It waits for the admins of {{place}} now', { place: payload.request?.waitsAt ?? '' }))
    onDone()
  }
  return (
    <Confirm title={t('Pass the request up?')} description={credits ? t('It leaves your hands: the admins of the next scope above decide, and can raise the budgets on the way. Above the account stands the platform, which gives it its credits and reads nothing but your words.') : t('It leaves your hands: the admins of the next scope above decide, and can raise the budgets on the way.')} action={t('Pass up')} keep={t('Keep it')} danger={false} busy={pass.busy} error={error} fault={pass.fault} onConfirm={run} onClose={onClose}>
      <Field label={t('A word for them')}>{(wiring) => <Textarea {...wiring} autoFocus maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}</Field>
    </Confirm>
  )
}

function Delegate({ request, onDone, onClose }: AskProps) {
  const delegate = useMutate(RequestDelegateDocument)
  const [userId, setUserId] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await delegate.run({ input: { requestId: request.id, userId: userId!, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} decides on it now', { name: payload.request?.assigneeName ?? '' }))
    onDone()
  }
  return (
    <Confirm title={t('Hand the request to another admin?')} description={t('They decide by their own roles; you still see it among all open ones.')} action={t('Hand over')} keep={t('Keep it')} danger={false} busy={delegate.busy} blocked={!userId} error={error} fault={delegate.fault} onConfirm={run} onClose={onClose}>
      <div className="flex flex-col gap-4">
        <Field label={t('To whom')} required>
          {(wiring) => <Picker {...wiring} items={request.deciders.map((d) => ({ value: d.id, label: d.name }))} value={userId} onChange={setUserId} placeholder={t('An admin')} />}
        </Field>
        <Field label={t('A word for them')}>{(wiring) => <Textarea {...wiring} maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}</Field>
      </div>
    </Confirm>
  )
}
