import { useState } from 'react'
import { type WebhookPartsFragment, WebhookDeleteDocument, WebhookSecretRotateDocument, WebhookUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Confirm } from '@/kit/confirm'
import { Field } from '@/kit/field'
import { Select } from '@/kit/select'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { Secret } from './secret'

type Props = { webhook: WebhookPartsFragment; onClose: () => void }

const overlaps = [
  { value: '24', label: t('{{count}} hours', { count: 24 }) },
  { value: '1', label: t('{{count}} hours', { count: 1 }) },
  { value: '72', label: t('{{count}} days', { count: 3 }) },
  { value: '168', label: t('{{count}} days', { count: 7 }) },
  { value: '0', label: t('Not at all: it leaked') },
]

export function RotateSecret({ webhook: w, onClose }: Props) {
  const rotate = useMutate(WebhookSecretRotateDocument)
  const [hours, setHours] = useState('24')
  const [error, setError] = useState<string>()
  const [made, setMade] = useState<{ webhook: WebhookPartsFragment; secret: string }>()
  if (made) return <Secret rotated webhook={made.webhook} secret={made.secret} onDone={onClose} />
  const run = async () => {
    const payload = await rotate.run({ input: { webhookId: w.id, overlapHours: Number(hours) } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    if (payload.webhook && payload.secret) setMade({ webhook: payload.webhook, secret: payload.secret })
  }
  return (
    <Confirm danger={hours === '0'} title={t('Make a new secret for {{name}}?', { name: w.name })} action={t('Rotate secret')} busy={rotate.busy} fault={rotate.fault} error={error} onConfirm={run} onClose={onClose}>
      <Field label={t('Sign with the secret before for')} hint={t('Time to put the new one in at your endpoint.')}>
        {(wiring) => <Select {...wiring} value={hours} onChange={setHours} options={overlaps} />}
      </Field>
    </Confirm>
  )
}

export function DisableWebhook({ webhook: w, onClose }: Props) {
  const update = useMutate(WebhookUpdateDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await update.run({ input: { webhookId: w.id, status: 'DISABLED', expectedVersion: w.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is disabled', { name: w.name }))
    onClose()
  }
  return (
    <Confirm title={t('Disable {{name}}?', { name: w.name })} action={t('Disable webhook')} keep={t('Keep it')} busy={update.busy} fault={update.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Nothing more is sent there, and what waits counts as failed.')}</li>
        <li>{t('What happens meanwhile is not sent later.')}</li>
      </ul>
    </Confirm>
  )
}

export function DeleteWebhook({ webhook: w, onClose }: Props) {
  const drop = useMutate(WebhookDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { webhookId: w.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: w.name }))
    onClose()
  }
  return (
    <Confirm title={t('Delete {{name}}?', { name: w.name })} action={t('Delete webhook')} keep={t('Keep it')} type={w.name} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Nothing more is sent there.')}</li>
        <li>{t('Its secret and the log of its deliveries are gone for good.')}</li>
      </ul>
    </Confirm>
  )
}
