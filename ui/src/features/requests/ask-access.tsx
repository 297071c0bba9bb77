import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { RequestCreateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

type Props = { scope: { id: string; name: string }; resource: { id: string; name: string }; onClose: () => void }

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)

/** Asks to use a model, an agent, a connection or a tool. */
export function AskAccess({ scope, resource, onClose }: Props) {
  const create = useMutate(RequestCreateDocument, { once: true })
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const send = async (event: FormEvent) => {
    event.preventDefault()
    if (!reason.trim()) return setErrors({ reason: t('Say why, in a sentence.') })
    const payload = await create.run({ input: { scopeId: scope.id, resourceId: resource.id, reason, until: until ? new Date(`${until}T23:59:59`).toISOString() : undefined } })
    if (!payload) return
    if (payload.errors[0]) return setErrors({ ...byField(payload.errors), all: payload.errors.find((x) => !['reason', 'until'].includes(x.path[0] ?? ''))?.message ?? '' })
    toast(payload.request?.status === 'APPROVED' ? t('You may use {{name}} now', { name: resource.name }) : t('Sent to the admins of {{place}}', { place: payload.request?.waitsAt ?? '' }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Ask for {{name}}', { name: resource.name })} description={t('For {{name}}. The admins above decide; you see here what became of it.', { name: scope.name })}>
      <form noValidate onSubmit={send} className="flex flex-col gap-4">
        <Field label={t('Why')} required error={errors.reason}>
          {(wiring) => <Textarea {...wiring} autoFocus maxLength={1000} value={reason} onChange={(e) => setReason(e.target.value)} />}
        </Field>
        <Field label={t('Last day')} error={errors.until} hint={t('Empty: for good.')}>
          {(wiring) => <Input {...wiring} type="date" min={tomorrow()} value={until} onChange={(e) => setUntil(e.target.value)} className="w-44" />}
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
