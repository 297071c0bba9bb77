import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, useForm, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField, type Fault } from '@/graphql/fault'
import { InvitationCreateDocument, type LinkPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { RadioCards } from '@/kit/radio'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { Links } from '@/features/invitations'
import { staffRole } from './words'

const schema = z.object({
  email: z.string().trim().min(1, t('Enter an e-mail address.')).email(t("This doesn't look like an e-mail address.")),
  name: z.string().trim().max(120, t('At most 120 characters.')),
  role: z.enum(['ADMIN', 'VIEWER']),
})

type Values = z.infer<typeof schema>

/** Invites somebody to run the platform, or to look. */
export function InviteStaff({ scopeId, onClose }: { scopeId: string; onClose: () => void }) {
  const invite = useMutate(InvitationCreateDocument, { once: true })
  const [links, setLinks] = useState<readonly LinkPartsFragment[]>()
  const [refusal, setRefusal] = useState<Fault>()
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { email: '', name: '', role: 'VIEWER' } })
  const { errors } = formState
  const role = useWatch({ control, name: 'role' })
  if (links) return <Links links={links} onDone={onClose} />
  const send = async (v: Values) => {
    setRefusal(undefined)
    const input = { scopeId, role: v.role, emails: [v.email], name: v.name || undefined }
    const payload = await invite.run({ input })
    if (!payload) return
    if (payload.errors.length === 0) return setLinks(payload.invitations ?? [])
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field === 'emails') setError('email', { message }, { shouldFocus: true })
      else if (field === 'name') setError('name', { message })
      else setRefusal({ code: 'INVALID', message })
    }
  }
  const fault = invite.fault ?? refusal
  return (
    <Dialog open onClose={onClose} title={t('Invite staff')} description={t('They get a mail with a link that works for 7 days.')}>
      <form noValidate onSubmit={handleSubmit(send)} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('E-mail')} required error={errors.email?.message}>
            {(wiring) => <Input {...wiring} {...register('email')} type="email" autoFocus autoComplete="off" />}
          </Field>
          <Field label={t('Name')} error={errors.name?.message} hint={t('May be left empty.')}>
            {(wiring) => <Input {...wiring} {...register('name')} autoComplete="off" />}
          </Field>
        </div>
        <Controller
          name="role"
          control={control}
          render={({ field }) => (
            <RadioCards
              label={t('They become')}
              value={field.value}
              onChange={field.onChange}
              options={[
                { value: 'VIEWER', label: staffRole.VIEWER, note: t('Sees accounts, amounts, models and the audit log of the platform, changes nothing.') },
                { value: 'ADMIN', label: staffRole.ADMIN, note: t('Runs the platform: accounts, catalogue, upstream providers, staff; enters accounts as support.') },
              ]}
            />
          )}
        />
        {role === 'ADMIN' && <Notice tone="warn">{t('A super admin can suspend, close and delete accounts, and make others super admin.')}</Notice>}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Invite')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
