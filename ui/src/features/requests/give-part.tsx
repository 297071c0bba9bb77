import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { RequestApproveDocument, type RequestPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import type { Item } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ScopePicker } from '@/features/access'
import { placeOf } from './words'

type Props = { request: RequestPartsFragment; onClose: () => void }

const today = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)

/** Gives access to a part of the place that asks, or for a while. */
export function GivePart({ request: r, onClose }: Props) {
  const approve = useMutate(RequestApproveDocument)
  const whole: Item = { value: r.scope?.id ?? '', label: placeOf(r) }
  const [scope, setScope] = useState(whole)
  const [until, setUntil] = useState(r.until?.slice(0, 10) ?? '')
  const [note, setNote] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const parts = r.scope && r.scope.kind !== 'MEMBER' && r.scope.kind !== 'KEY'
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const payload = await approve.run({ input: { requestId: r.id, scopeId: scope.value === whole.value ? undefined : scope.value, until: until ? new Date(`${until}T23:59:59`).toISOString() : undefined, forGood: !until, note, expectedVersion: r.version } })
    if (!payload) return
    if (payload.errors[0]) return setErrors({ ...byField(payload.errors), all: payload.errors.find((e) => !['scopeId', 'until', 'note'].includes(e.path[0] ?? ''))?.message ?? '' })
    toast(t('{{name}} may use {{resource}}', { name: scope.label, resource: r.resource?.name ?? '' }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Give a part of it')} description={t('{{name}} asked for {{resource}}.', { name: r.requesterName, resource: r.resource?.name ?? '' })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        {parts && (
          <Field label={t('Where')} error={errors.scopeId} hint={t('The place that asks, or a part of it.')}>
            {(wiring) => <ScopePicker {...wiring} plane={r.plane} action="grant.set" value={scope} onChange={setScope} />}
          </Field>
        )}
        <Field label={t('Last day')} error={errors.until} hint={t('Empty: for good.')}>
          {(wiring) => <Input {...wiring} type="date" min={today()} value={until} onChange={(e) => setUntil(e.target.value)} className="w-44" />}
        </Field>
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
            {t('Allow this part')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
