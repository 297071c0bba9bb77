import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField, type Fault } from '@/graphql/fault'
import { IdentityProviderCreateDocument, IdentityProviderUpdateDocument, type IdentityPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { DialogActions, Sheet } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { Record } from '@/kit/record'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { type Kind, kindOf, kinds, parseScopes } from './kinds'

const claim = z.string().trim().min(1, t('Enter the name of a claim.')).max(200, t('At most 200 characters.'))

const schema = z.object({
  name: z.string().trim().min(1, t('Enter what people see on the button.')).max(120, t('At most 120 characters.')),
  issuer: z
    .string()
    .trim()
    .refine((s) => /^https?:\/\/[^\s<>]+$/.test(s), t('Enter the whole address, beginning with https://.')),
  clientId: z.string().trim().min(1, t('Enter what the provider calls Cockpit.')).max(500, t('At most 500 characters.')),
  clientSecret: z.string().max(4096),
  removeSecret: z.boolean(),
  scopes: z.string(),
  emailClaim: claim,
  nameClaim: claim,
  groupsClaim: claim,
  justInTime: z.boolean(),
})

type Values = z.infer<typeof schema>

const options = (Object.keys(kinds) as Kind[]).map((value) => ({ value, label: kinds[value].label }))

type Props = { provider?: IdentityPartsFragment; onClose: () => void; onSaved: (provider: IdentityPartsFragment) => void }

/** Adds an identity provider or changes one. */
export function ProviderForm({ provider: p, onClose, onSaved }: Props) {
  const viewer = useViewer()
  const create = useMutate(IdentityProviderCreateDocument)
  const update = useMutate(IdentityProviderUpdateDocument)
  const [kind, setKind] = useState<Kind>(p ? kindOf(p.issuer) : 'entra')
  const [refusal, setRefusal] = useState<Fault>()
  const { register, control, handleSubmit, setError, setValue, getValues, formState } = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: {
      name: p?.name ?? '',
      issuer: p?.issuer ?? '',
      clientId: p?.clientId ?? '',
      clientSecret: '',
      removeSecret: false,
      scopes: (p?.scopes ?? parseScopes(kinds.entra.scopes)).join(' '),
      emailClaim: p?.emailClaim ?? 'email',
      nameClaim: p?.nameClaim ?? 'name',
      groupsClaim: p?.groupsClaim ?? 'groups',
      justInTime: p?.justInTime ?? true,
    },
  })
  const { errors } = formState
  const hint = kinds[kind]
  // The same for all providers of an account, so that it can be registered before there is one.
  const callbackUrl = p?.callbackUrl ?? `${location.origin}/sso/callback/${viewer.account.id}`
  const choose = (next: Kind) => {
    const before = kinds[kind]
    setKind(next)
    // Only what nobody has changed follows.
    if (getValues('scopes') === parseScopes(before.scopes).join(' ')) setValue('scopes', parseScopes(kinds[next].scopes).join(' '))
    if (next === 'google' && !getValues('issuer')) setValue('issuer', kinds.google.issuer)
    if (before === kinds.google && getValues('issuer') === before.issuer) setValue('issuer', '')
  }
  const save = async (v: Values) => {
    setRefusal(undefined)
    const common = { name: v.name, issuer: v.issuer, clientId: v.clientId, scopes: parseScopes(v.scopes), emailClaim: v.emailClaim, nameClaim: v.nameClaim, groupsClaim: v.groupsClaim, justInTime: v.justInTime }
    const secret = v.removeSecret ? '' : v.clientSecret || undefined
    const payload = p ? await update.run({ input: { identityProviderId: p.id, ...common, clientSecret: secret, expectedVersion: p.version } }) : await create.run({ input: { ...common, clientSecret: secret } })
    if (!payload) return
    if (payload.identityProvider) {
      toast(p ? t('{{name}} is saved', { name: v.name }) : t('{{name}} is added: test it next', { name: v.name }))
      return onSaved(payload.identityProvider)
    }
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field in v) setError(field as keyof Values, { message }, { shouldFocus: true })
      else setRefusal({ code: 'INVALID', message })
    }
  }
  const fault = create.fault ?? update.fault ?? refusal
  return (
    <Sheet open onClose={onClose} className="max-w-xl" title={p ? t('Change {{name}}', { name: p.name }) : t('Add an identity provider')} description={t('OpenID Connect. It lets nobody in before you have tested and activated it.')}>
      <form noValidate onSubmit={handleSubmit(save)} className="flex flex-col gap-4">
        <Field label={t('Product')}>{(wiring) => <Select {...wiring} value={kind} onChange={choose} options={options} />}</Field>
        <div className="rounded-lg border border-line bg-bg px-3.5 py-3">
          <p className="font-medium">{kind === 'other' ? t('At your provider') : t('At {{product}}', { product: hint.label })}</p>
          <ol className="mt-1 mb-3 list-decimal space-y-1 ps-5 text-muted">
            {hint.steps.map((s) => (
              <li key={s}>{s}</li>
            ))}
          </ol>
          <Record rows={[{ name: t('Redirect'), value: callbackUrl, copy: t('Copy the redirect address') }]} />
        </div>
        <Field label={t('Name')} required error={errors.name?.message} hint={t('On the button of the sign-in page.')}>
          {(wiring) => <Input {...wiring} {...register('name')} autoFocus autoComplete="off" placeholder={kind === 'other' ? '' : hint.label} />}
        </Field>
        <Field label={t('Issuer')} required error={errors.issuer?.message} hint={t('Its discovery document is read at once.')}>
          {(wiring) => <Input {...wiring} {...register('issuer')} autoComplete="off" spellCheck={false} inputMode="url" placeholder={hint.issuer} className="font-mono" />}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Client id')} required error={errors.clientId?.message}>
            {(wiring) => <Input {...wiring} {...register('clientId')} autoComplete="off" spellCheck={false} className="font-mono" />}
          </Field>
          <Field label={t('Client secret')} error={errors.clientSecret?.message} hint={p?.secretHint ? t('Empty: the one that is set stays.') : t('Empty for a client that uses PKCE alone.')}>
            {(wiring) => <Input {...wiring} {...register('clientSecret')} type="password" autoComplete="new-password" placeholder={p?.secretHint ? `•••••••• ${p.secretHint}` : ''} className="font-mono" />}
          </Field>
        </div>
        {p?.secretHint && (
          <Controller
            name="removeSecret"
            control={control}
            render={({ field }) => (
              <Checkbox checked={field.value} onChange={field.onChange}>
                {t('Remove the client secret: the provider takes PKCE alone')}
              </Checkbox>
            )}
          />
        )}
        <Controller
          name="justInTime"
          control={control}
          render={({ field }) => (
            <Checkbox checked={field.value} onChange={field.onChange}>
              <span className="font-medium">{t('Let in people who are no users yet')}</span>
              <span className="block text-xs text-muted">{t('Whoever the provider vouches for gets a user, with the seats and roles of their groups. Otherwise only those who were invited.')}</span>
            </Checkbox>
          )}
        />
        <details className="group rounded-lg border border-line" open={Boolean(errors.emailClaim ?? errors.nameClaim ?? errors.groupsClaim ?? errors.scopes) || undefined}>
          <summary className="cursor-pointer rounded-lg px-3.5 py-2.5 font-medium select-none hover:bg-hover/60">{t('Claims and scopes')}</summary>
          <div className="grid gap-4 border-t border-line px-3.5 py-3.5 sm:grid-cols-2">
            <Field label={t('Scopes')} error={errors.scopes?.message} className="sm:col-span-2" hint={t('Separated by blanks.')}>
              {(wiring) => <Input {...wiring} {...register('scopes')} autoComplete="off" spellCheck={false} className="font-mono" />}
            </Field>
            <Field label={t('Claim of the e-mail')} required error={errors.emailClaim?.message} hint={t('Must be verified by the provider.')}>
              {(wiring) => <Input {...wiring} {...register('emailClaim')} autoComplete="off" spellCheck={false} className="font-mono" />}
            </Field>
            <Field label={t('Claim of the name')} required error={errors.nameClaim?.message}>
              {(wiring) => <Input {...wiring} {...register('nameClaim')} autoComplete="off" spellCheck={false} className="font-mono" />}
            </Field>
            <Field label={t('Claim of the groups')} required error={errors.groupsClaim?.message} className="sm:col-span-2" hint={t('Dots lead into objects: realm_access.roles')}>
              {(wiring) => <Input {...wiring} {...register('groupsClaim')} autoComplete="off" spellCheck={false} className="font-mono" />}
            </Field>
          </div>
        </details>
        {p?.status === 'ACTIVE' && <Notice tone="warn">{t('Another issuer, client, scope or claim makes it a draft again: nobody signs in through it until it is tested and activated.')}</Notice>}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {p ? t('Save provider') : t('Add provider')}
          </Button>
        </DialogActions>
      </form>
    </Sheet>
  )
}
