import { Ban, Download, Play, Trash2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { byField } from '@/graphql/fault'
import { AccountCloseDocument, AccountDeleteDocument, AccountPlanesSetDocument, AccountResumeDocument, AccountSuspendDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Field, Textarea } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import type { AccountOf } from './account'

const products: readonly Plane[] = ['CONSOLE', 'COPILOT']

type Step = { kind: 'planes'; plane: Plane } | { kind: 'suspend' | 'close' | 'delete' }

/** What ends something for a whole account, the least first. */
export function DangerZone({ account: a }: { account: AccountOf }) {
  const [step, setStep] = useState<Step>()
  const resume = useMutate(AccountResumeDocument)
  const close = () => setStep(undefined)
  const again = async () => {
    const payload = await resume.run({ input: { accountId: a.id } })
    if (payload) toast(payload.errors[0]?.message ?? t('{{name}} is in use again', { name: a.name }))
    else toast(t('It was refused. Try again.'))
  }
  const closed = a.status === 'CLOSED'
  return (
    <Card>
      <ul>
        {!closed && may(a, 'account.planes') && (
          <Row title={t('Products')} note={t('What is switched off is refused within a second and kept: switch it on again and everything is back.')}>
            <span className="flex flex-wrap gap-x-5 gap-y-2">
              {products.map((p) => (
                <span key={p} className="flex items-center gap-2">
                  <Switch label={t('{{plane}} for {{name}}', { plane: nameOf(p), name: a.name })} checked={a.planes.includes(p)} onChange={() => setStep({ kind: 'planes', plane: p })} />
                  <span aria-hidden className="text-sm font-medium">
                    {nameOf(p)}
                  </span>
                </span>
              ))}
            </span>
          </Row>
        )}
        {!closed && may(a, 'account.suspend') && (
          <Row title={a.status === 'SUSPENDED' ? t('Suspended') : t('Suspend')} note={a.status === 'SUSPENDED' ? t('Sign-ins, keys and calls are refused; all data is kept.') : t('Refuses sign-ins, keys, calls and streams until it is resumed. All data is kept.')}>
            {a.status === 'SUSPENDED' ? (
              <Button size="sm" busy={resume.busy} onClick={again}>
                <Play aria-hidden /> {t('Resume account')}
              </Button>
            ) : (
              <Button size="sm" onClick={() => setStep({ kind: 'suspend' })}>
                <Ban aria-hidden /> {t('Suspend…')}
              </Button>
            )}
          </Row>
        )}
        {!closed && may(a, 'account.close') && (
          <Row title={t('Close')} note={t('Ends the account for good. It can be exported and deleted from then on, never opened again.')}>
            <Button size="sm" variant="danger" onClick={() => setStep({ kind: 'close' })}>
              {t('Close account…')}
            </Button>
          </Row>
        )}
        {closed && !a.deletingAt && may(a, 'account.close') && (
          <Row title={t('Export')} note={t('Everything that it holds as one file, secrets left out. The export is written into both audit logs.')}>
            <a href={`/export/accounts/${a.id}`} download className={buttonClass({ size: 'sm' })}>
              <Download aria-hidden /> {t('Export everything')}
            </a>
          </Row>
        )}
        {closed && !a.deletedAt && may(a, 'account.close') && (
          <Row title={t('Delete')} note={t('Everything but the ledger and the name. Export it before: there is no way back.')}>
            {a.deletingAt ? (
              <span role="status" className="text-sm text-muted">
                {t('Being deleted, bit by bit')}
              </span>
            ) : (
              <Button size="sm" variant="danger" onClick={() => setStep({ kind: 'delete' })}>
                <Trash2 aria-hidden /> {t('Delete account…')}
              </Button>
            )}
          </Row>
        )}
        {a.deletedAt && <Row title={t('Deleted')} note={t('Nothing is left to be done here.')} />}
      </ul>
      {step?.kind === 'planes' && <SetPlane account={a} plane={step.plane} onClose={close} />}
      {step?.kind === 'suspend' && <Suspend account={a} onClose={close} />}
      {step?.kind === 'close' && <CloseAccount account={a} onClose={close} />}
      {step?.kind === 'delete' && <DeleteAccount account={a} onClose={close} />}
    </Card>
  )
}

function Row({ title, note, children }: { title: string; note: string; children?: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 border-b border-line px-4 py-3.5 last:border-b-0">
      <div className="min-w-0 grow basis-72">
        <h3 className="font-semibold">{title}</h3>
        <p className="max-w-2xl text-muted">{note}</p>
      </div>
      {children}
    </li>
  )
}

type Props = { account: AccountOf; onClose: () => void }

function SetPlane({ account: a, plane, onClose }: Props & { plane: Plane }) {
  const set = useMutate(AccountPlanesSetDocument)
  const [error, setError] = useState<string>()
  const on = !a.planes.includes(plane)
  const planes = products.filter((p) => (p === plane ? on : a.planes.includes(p)))
  const name = nameOf(plane)
  const run = async () => {
    const payload = await set.run({ input: { accountId: a.id, planes } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(on ? t('{{name}} uses {{plane}} now', { name: a.name, plane: name }) : t('{{plane}} is off for {{name}}', { name: a.name, plane: name }))
    onClose()
  }
  return (
    <Confirm
      danger={!on}
      title={on ? t('Switch {{plane}} on for {{name}}?', { plane: name, name: a.name }) : t('Switch {{plane}} off for {{name}}?', { plane: name, name: a.name })}
      action={on ? t('Switch {{plane}} on', { plane: name }) : t('Switch {{plane}} off', { plane: name })}
      blocked={planes.length === 0}
      busy={set.busy}
      fault={set.fault}
      error={error}
      onConfirm={run}
      onClose={onClose}
    >
      {planes.length === 0 ? (
        <Notice tone="warn">{t('An account uses at least one product. To refuse it as a whole, suspend it.')}</Notice>
      ) : on ? (
        <ul className="list-disc space-y-1 ps-5">
          <li>{t('Its admins get {{plane}} beside what they have, with an organization and a team to begin with.', { plane: name })}</li>
          <li>{t('Was it on before, everything is back as it was.')}</li>
        </ul>
      ) : (
        <ul className="list-disc space-y-1 ps-5">
          <li>{t('Every call with a key of {{plane}} is refused within a second; running streams end.', { plane: name })}</li>
          <li>{t("Its pages are gone for the account's people; seats, keys and budgets are kept.")}</li>
          <li>{t('What was spent stays on the books.')}</li>
        </ul>
      )}
    </Confirm>
  )
}

function Suspend({ account: a, onClose }: Props) {
  const suspend = useMutate(AccountSuspendDocument)
  const [reason, setReason] = useState('')
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await suspend.run({ input: { accountId: a.id, reason: reason.trim() } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is suspended', { name: a.name }))
    onClose()
  }
  return (
    <Confirm title={t('Suspend {{name}}?', { name: a.name })} action={t('Suspend account')} keep={t('Leave it')} blocked={!reason.trim()} busy={suspend.busy} fault={suspend.fault} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{a.userCount ? t('{{count}} people are signed out and can\'t sign in.', { count: a.userCount }) : t("Its people are signed out and can't sign in.")}</li>
        <li>{t('Every key, token and running stream is refused within a second.')}</li>
        <li>{t('All data is kept; resuming brings everything back.')}</li>
      </ul>
      <Field label={t('Reason')} required error={error} hint={t('Shown to the people of the account.')}>
        {(wiring) => <Textarea {...wiring} autoFocus value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />}
      </Field>
    </Confirm>
  )
}

function CloseAccount({ account: a, onClose }: Props) {
  const end = useMutate(AccountCloseDocument)
  const [reason, setReason] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const run = async () => {
    const payload = await end.run({ input: { accountId: a.id, confirm: a.name, reason: reason.trim() } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('{{name}} is closed', { name: a.name }))
    onClose()
  }
  return (
    <Confirm title={t('Close {{name}} for good?', { name: a.name })} action={t('Close account')} keep={t('Leave it open')} type={a.name} blocked={!reason.trim()} busy={end.busy} fault={end.fault} error={errors[''] ?? errors.confirm ?? errors.accountId} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{a.userCount ? t('{{count}} people are signed out and can\'t sign in.', { count: a.userCount }) : t("Its people are signed out and can't sign in.")}</li>
        <li>{t('Every key, token and running stream is refused within a second; open support accesses end.')}</li>
        <li>{t('It can never be opened again. From then on you can export and delete it.')}</li>
      </ul>
      <Field label={t('Reason')} required error={errors.reason}>
        {(wiring) => <Textarea {...wiring} autoFocus value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />}
      </Field>
    </Confirm>
  )
}

function DeleteAccount({ account: a, onClose }: Props) {
  const drop = useMutate(AccountDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { accountId: a.id, confirm: a.name } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is being deleted', { name: a.name }))
    onClose()
  }
  return (
    <Confirm title={t('Delete everything of {{name}}?', { name: a.name })} action={t('Delete for good')} keep={t('Keep it')} type={a.name} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Its people, teams, keys, budgets, models, providers, programs, settings and its audit log go.')}</li>
        <li>{t('The ledger stays, in opaque ids and amounts, and the name of the account.')}</li>
        <li>{t('Logins of people who are in other accounts, too, stay theirs.')}</li>
        <li className="font-medium text-bad">{t('Nobody can bring it back. Have you exported it?')}</li>
      </ul>
    </Confirm>
  )
}
