import { type FormEvent, type ReactNode, useState } from 'react'
import { byField, type Fault } from '@/graphql/fault'
import { type NotificationTopic, type WebhookPartsFragment, WebhookCreateDocument, WebhookUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { topicNames } from '@/features/inbox'
import { Secret } from './secret'

type Props = { webhook?: WebhookPartsFragment; planes: readonly Plane[]; onClose: () => void }

const offered = topicNames.filter((x) => x.value !== 'WEBHOOK_DISABLED')
const usual: NotificationTopic[] = ['BUDGET_THRESHOLD', 'BUDGET_EXHAUSTED', 'BUDGET_FORECAST']

const toggle = <T,>(list: readonly T[], one: T, on: boolean) => (on ? [...list, one] : list.filter((x) => x !== one))

/** Makes a webhook, and shows its secret once; or changes one. */
export function WebhookForm({ webhook, planes, onClose }: Props) {
  const create = useMutate(WebhookCreateDocument)
  const update = useMutate(WebhookUpdateDocument)
  const [made, setMade] = useState<{ webhook: WebhookPartsFragment; secret: string }>()
  const [name, setName] = useState(webhook?.name ?? '')
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [topics, setTopics] = useState<readonly NotificationTopic[]>(webhook?.topics ?? usual)
  const [chosen, setChosen] = useState<readonly Plane[]>(webhook?.planes ?? planes)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [refusal, setRefusal] = useState<Fault>()
  if (made) return <Secret webhook={made.webhook} secret={made.secret} onDone={onClose} />

  const save = async (event: FormEvent) => {
    event.preventDefault()
    setRefusal(undefined)
    const missing = {
      ...(!name.trim() && { name: t('Enter a name.') }),
      ...(!/^https?:\/\/\S+$/.test(url.trim()) && { url: t('Enter an address like https://example.com/hooks/cockpit.') }),
      ...(topics.length === 0 && { topics: t('Choose at least one topic.') }),
      ...(chosen.length === 0 && { planes: t('Choose at least one product.') }),
    }
    setErrors(missing)
    if (Object.keys(missing).length > 0) return
    const input = { name: name.trim(), url: url.trim(), topics: [...topics], planes: [...chosen] }
    const payload = webhook ? await update.run({ input: { webhookId: webhook.id, ...input, expectedVersion: webhook.version } }) : await create.run({ input })
    if (!payload) return
    if (payload.errors.length > 0) {
      const found = byField(payload.errors)
      setErrors(found)
      if (!['name', 'url', 'topics', 'planes'].some((f) => found[f])) setRefusal({ code: 'INVALID', message: payload.errors[0]!.message })
      return
    }
    if ('secret' in payload && payload.webhook && payload.secret) return setMade({ webhook: payload.webhook, secret: payload.secret as string })
    toast(t('{{name}} is saved', { name: input.name }))
    onClose()
  }
  const fault = create.fault ?? update.fault ?? refusal
  return (
    <Dialog open onClose={onClose} title={webhook ? t('Change {{name}}', { name: webhook.name }) : t('New webhook')} description={t('Cockpit posts events there, signed after Standard Webhooks.')} className="max-w-xl">
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <Field label={t('Name')} required error={errors.name}>
          {(wiring) => <Input {...wiring} autoFocus value={name} maxLength={120} onChange={(e) => setName(e.target.value)} autoComplete="off" placeholder={t('Finance alerts')} />}
        </Field>
        <Field label={t('Address')} required error={errors.url} hint={t('https. Addresses inside closed networks are refused when it is called.')}>
          {(wiring) => <Input {...wiring} type="url" value={url} maxLength={2000} onChange={(e) => setUrl(e.target.value)} autoComplete="off" spellCheck={false} placeholder="https://example.com/hooks/cockpit" className="font-mono" />}
        </Field>
        <Choices legend={t('What it hears of')} error={errors.topics}>
          {offered.map((x) => (
            <Checkbox key={x.value} checked={topics.includes(x.value)} onChange={(on) => setTopics(toggle(topics, x.value, on))}>
              <span className="font-medium">{x.name}</span>
              <span className="block text-xs text-muted">{x.about}</span>
            </Checkbox>
          ))}
        </Choices>
        {planes.length > 1 && (
          <Choices legend={t('Of which products')} error={errors.planes}>
            {planes.map((p) => (
              <Checkbox key={p} checked={chosen.includes(p)} onChange={(on) => setChosen(toggle(chosen, p, on))}>
                {nameOf(p)}
              </Checkbox>
            ))}
          </Choices>
        )}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy || update.busy}>
            {webhook ? t('Save webhook') : t('Create webhook')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Choices({ legend, error, children }: { legend: string; error?: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">{legend}</legend>
      <div className="grid gap-2.5 rounded-md border border-line px-3 py-2.5 sm:grid-cols-2">{children}</div>
      {error && (
        <p role="alert" className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  )
}
