import { ArrowUp, Check, UserRoundPlus, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { RequestApproveDocument, RequestDeclineDocument, RequestDelegateDocument, type RequestPartsFragment, RequestPassUpDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Field, Input, Textarea } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { moneyWords, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { GivePart } from './give-part'

type Props = { request: RequestPartsFragment }

/** Approve in one press, or a part of it; decline with a reason; hand it up where it doesn't fit. */
export function Decide({ request }: Props) {
  const approve = useMutate(RequestApproveDocument)
  const [text, setText] = useState<string>()
  const [error, setError] = useState<string>()
  const [asking, setAsking] = useState<'decline' | 'passUp' | 'delegate' | 'part'>()
  const { unit, impact } = request
  const budget = request.kind === 'BUDGET'
  const stuck = request.accessImpact?.holds === false
  const short = impact && !impact.fits
  const some = short && Number(impact.available) > 0
  const give = async (amount?: string) => {
    setError(undefined)
    const payload = await approve.run({ input: { requestId: request.id, amount, expectedVersion: request.version } })
    if (!payload) return
    const first = payload.errors[0]
    if (!first) {
      toast(amount ? t('{{name}} gets {{amount}}', { name: request.requesterName, amount: moneyWords(amount, unit) }) : t('The request of {{name}} is approved', { name: request.requesterName }))
      return setText(undefined)
    }
    setError(first.message)
    if ('available' in first && Number(first.available) > 0) setText(first.available)
  }
  const submit = (e: FormEvent) => {
    e.preventDefault()
    const amount = parseAmount(text ?? '')
    if (amount === null || Number(amount) <= 0) return setError(t('Enter an amount such as 1200 or 12.50.'))
    if (Number(amount) > Number(request.amount)) return setError(t('No more can be given than was asked.'))
    void give(amount)
  }
  return (
    <div className="flex flex-col gap-2">
      {text === undefined ? (
        <div className="flex flex-wrap items-center gap-2 max-sm:gap-1.5 max-sm:[&_svg]:hidden">
          <Button variant="primary" size="sm" busy={approve.busy} disabled={Boolean((short && !some) || stuck)} onClick={() => give(budget ? (some ? impact.available : request.amount) : undefined)}>
            <Check aria-hidden /> {some ? t('Give {{amount}}', { amount: moneyWords(impact.available, unit) }) : t('Approve')}
          </Button>
          {!(short && !some) && request.kind !== 'PUBLISH' && request.kind !== 'TOOL_APPROVAL' && (
            <Button size="sm" disabled={stuck} onClick={() => (budget ? setText(some ? impact.available : request.amount) : setAsking('part'))}>
              {t('Give a part')}
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
      ) : (
        <form onSubmit={submit} className="flex flex-wrap items-center gap-2">
          <Input
            autoFocus
            inputMode="decimal"
            value={text}
            onFocus={(e) => e.target.select()}
            onChange={(e) => setText(e.target.value)}
            onKeyDown={(e) => e.key === 'Escape' && setText(undefined)}
            aria-label={t('How much {{name}} gets, in {{unit}}', { name: request.requesterName, unit: unit === 'USD' ? t('US dollars') : t('credits') })}
            aria-invalid={error ? true : undefined}
            className="num h-8 w-28"
          />
          <span className="text-muted">{t('of {{amount}}', { amount: moneyWords(request.amount, unit) })}</span>
          <Button type="submit" size="sm" variant="primary" busy={approve.busy}>
            {t('Approve this part')}
          </Button>
          <Button size="sm" variant="ghost" onClick={() => setText(undefined)}>
            {t('Cancel')}
          </Button>
        </form>
      )}
      {error && (
        <p role="alert" className="text-sm text-bad">
          {error}
        </p>
      )}
      {approve.fault && <ErrorBar fault={approve.fault} />}
      {asking === 'decline' && <Decline request={request} onClose={() => setAsking(undefined)} />}
      {asking === 'delegate' && <Delegate request={request} onClose={() => setAsking(undefined)} />}
      {asking === 'part' && <GivePart request={request} onClose={() => setAsking(undefined)} />}
      {asking === 'passUp' && <PassUp request={request} onClose={() => setAsking(undefined)} />}
    </div>
  )
}

type AskProps = Props & { onClose: () => void }

function Decline({ request, onClose }: AskProps) {
  const decline = useMutate(RequestDeclineDocument)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await decline.run({ input: { requestId: request.id, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The request of {{name}} is declined', { name: request.requesterName }))
    onClose()
  }
  return (
    <Confirm title={t('Decline the request of {{name}}?', { name: request.requesterName })} action={t('Decline')} keep={t('Keep it open')} busy={decline.busy} blocked={!note.trim()} fault={decline.fault} onConfirm={run} onClose={onClose}>
      <Field label={t('Why')} required error={error} hint={t('{{name}} reads this.', { name: request.requesterName })}>
        {(wiring) => <Textarea {...wiring} autoFocus maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}
      </Field>
    </Confirm>
  )
}

function PassUp({ request, onClose }: AskProps) {
  const pass = useMutate(RequestPassUpDocument)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await pass.run({ input: { requestId: request.id, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('It waits for the admins of {{place}} now', { place: payload.request?.waitsAt ?? '' }))
    onClose()
  }
  return (
    <Confirm title={t('Pass the request up?')} description={t('It leaves your hands: the admins of the next scope above decide, and can raise the budgets on the way.')} action={t('Pass up')} keep={t('Keep it')} danger={false} busy={pass.busy} error={error} fault={pass.fault} onConfirm={run} onClose={onClose}>
      <Field label={t('A word for them')}>{(wiring) => <Textarea {...wiring} autoFocus maxLength={1000} value={note} onChange={(e) => setNote(e.target.value)} />}</Field>
    </Confirm>
  )
}

function Delegate({ request, onClose }: AskProps) {
  const delegate = useMutate(RequestDelegateDocument)
  const [userId, setUserId] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await delegate.run({ input: { requestId: request.id, userId: userId!, note, expectedVersion: request.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} decides on it now', { name: payload.request?.assigneeName ?? '' }))
    onClose()
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
