import { useState } from 'react'
import { type ProgramPartsFragment, ServiceClientDeleteDocument, ServiceClientSecretRotateDocument, ServiceClientUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Confirm } from '@/kit/confirm'
import { Field } from '@/kit/field'
import { Select } from '@/kit/select'
import { toast } from '@/kit/toast'
import { ago } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Secret } from './secret'

type Props = { program: ProgramPartsFragment; onClose: () => void }

const overlaps = [
  { value: '24', label: t('{{count}} hours', { count: 24 }) },
  { value: '1', label: t('{{count}} hours', { count: 1 }) },
  { value: '72', label: t('{{count}} days', { count: 3 }) },
  { value: '168', label: t('{{count}} days', { count: 7 }) },
  { value: '720', label: t('{{count}} days', { count: 30 }) },
  { value: '0', label: t('Not at all: it leaked') },
]

const used = (p: ProgramPartsFragment) => (p.lastUsedAt ? t('It was last used {{when}}.', { when: ago(p.lastUsedAt) }) : t('It was never used.'))

export function RotateSecret({ program: p, onClose }: Props) {
  const rotate = useMutate(ServiceClientSecretRotateDocument)
  const [hours, setHours] = useState('24')
  const [error, setError] = useState<string>()
  const [made, setMade] = useState<{ program: ProgramPartsFragment; secret: string }>()
  if (made) return <Secret rotated program={made.program} secret={made.secret} onDone={onClose} />
  const run = async () => {
    const payload = await rotate.run({ input: { serviceClientId: p.id, overlapHours: Number(hours) } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    if (payload.serviceClient && payload.secret) setMade({ program: payload.serviceClient, secret: payload.secret })
  }
  return (
    <Confirm danger={hours === '0'} title={t('Make a new secret for {{name}}?', { name: p.name })} action={t('Rotate secret')} busy={rotate.busy} fault={rotate.fault} error={error} onConfirm={run} onClose={onClose}>
      <Field label={t('The secret before works on for')} hint={hours === '0' ? t('Whatever still shows it is refused within a second.') : t('Time to put the new one in everywhere it runs.')}>
        {(wiring) => <Select {...wiring} value={hours} onChange={setHours} options={overlaps} />}
      </Field>
      {p.previousSecretHint && p.previousSecretExpiresAt && <p className="text-warn">{t('An older secret (…{{hint}}) still works now. It is refused from this rotation on.', { hint: p.previousSecretHint })}</p>}
      <p className="text-muted">{t('Tokens that it holds stay good until they expire. Its permissions stay.')}</p>
    </Confirm>
  )
}

export function DisableProgram({ program: p, onClose }: Props) {
  const update = useMutate(ServiceClientUpdateDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await update.run({ input: { serviceClientId: p.id, status: 'DISABLED', expectedVersion: p.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is disabled', { name: p.name }))
    onClose()
  }
  return (
    <Confirm title={t('Disable {{name}}?', { name: p.name })} action={t('Disable program')} keep={t('Keep it')} busy={update.busy} fault={update.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('It and all its tokens are refused within a second, streams end.')}</li>
        <li>{used(p)}</li>
        <li>{t('Consents of people and its secret are kept: enabled again, it works as before.')}</li>
      </ul>
    </Confirm>
  )
}

export function DeleteProgram({ program: p, onClose }: Props) {
  const drop = useMutate(ServiceClientDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { serviceClientId: p.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: p.name }))
    onClose()
  }
  return (
    <Confirm title={t('Delete {{name}}?', { name: p.name })} action={t('Delete program')} keep={t('Keep it')} type={p.name} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('It and all its tokens are refused within a second, streams end.')}</li>
        <li>{used(p)}</li>
        <li>{t('Consents of people end. A new program gets another client id, and they are asked anew.')}</li>
        <li>{t('What it spent stays on the books.')}</li>
      </ul>
    </Confirm>
  )
}
