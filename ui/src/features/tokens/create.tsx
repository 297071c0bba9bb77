import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField, type Fault } from '@/graphql/fault'
import { PersonalTokenCreateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Copyable, Once } from '@/kit/once'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'

export type Permission = { name: string; about: string }

const schema = z.object({
  name: z.string().trim().min(1, t('Give it a name that says where it is used.')).max(120, t('At most 120 characters.')),
  permissions: z.array(z.string()).min(1, t('Choose at least one: a token without permissions can do nothing.')),
  days: z.enum(['7', '30', '90', '180', '365']),
})

type Values = z.infer<typeof schema>

const lifetimes = (['7', '30', '90', '180', '365'] as const).map((value) => ({ value, label: t('{{count}} days', { count: Number(value) }) }))

/** A new token: what it may do, for how long; then itself, once. */
export function CreateToken({ grantable, onClose }: { grantable: readonly Permission[]; onClose: () => void }) {
  const [made, setMade] = useState<{ name: string; token: string }>()
  return made ? <Made {...made} onDone={onClose} /> : <CreateForm grantable={grantable} onClose={onClose} onMade={setMade} />
}

function CreateForm({ grantable, onClose, onMade }: { grantable: readonly Permission[]; onClose: () => void; onMade: (made: { name: string; token: string }) => void }) {
  const create = useMutate(PersonalTokenCreateDocument)
  const [refusal, setRefusal] = useState<Fault>()
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { name: '', permissions: [], days: '30' } })
  const { errors } = formState
  const make = async (values: Values) => {
    setRefusal(undefined)
    const payload = await create.run({ input: { name: values.name, permissions: values.permissions, expiresInDays: Number(values.days) } })
    if (!payload) return
    if (payload.token) return onMade({ name: values.name, token: payload.token })
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field === 'name' || field === 'permissions') setError(field, { message }, { shouldFocus: true })
      else if (field === 'expiresInDays') setError('days', { message })
      else setRefusal({ code: 'INVALID', message })
    }
  }
  return (
    <Dialog open onClose={onClose} title={t('New personal token')} description={t('For a script of your own. It acts as you, with less: never more than you may do yourself.')}>
      <form noValidate onSubmit={handleSubmit(make)} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-[1fr_8rem]">
          <Field label={t('Name')} required error={errors.name?.message}>
            {(wiring) => <Input {...wiring} {...register('name')} autoFocus placeholder={t('Nightly report')} autoComplete="off" />}
          </Field>
          <Field label={t('Works for')} error={errors.days?.message}>
            {(wiring) => <Controller name="days" control={control} render={({ field }) => <Select {...wiring} value={field.value} onChange={field.onChange} options={lifetimes} />} />}
          </Field>
        </div>
        <Controller
          name="permissions"
          control={control}
          render={({ field }) => (
            <fieldset aria-describedby={errors.permissions ? 'permissions-note' : undefined}>
              <legend className="mb-1.5 text-sm font-medium">
                {t('What it may do')}{' '}
                <span aria-hidden className="text-bad">
                  *
                </span>
              </legend>
              <ul className="flex flex-col rounded-md border border-line">
                {grantable.map((p) => (
                  <li key={p.name} className="border-b border-line px-3 py-2 last:border-b-0">
                    <Checkbox checked={field.value.includes(p.name)} onChange={(on) => field.onChange(on ? [...field.value, p.name] : field.value.filter((n) => n !== p.name))}>
                      {p.about} <code className="block font-mono text-xs text-muted">{p.name}</code>
                    </Checkbox>
                  </li>
                ))}
              </ul>
              {errors.permissions && (
                <p id="permissions-note" role="alert" className="mt-1.5 text-xs text-bad">
                  {errors.permissions.message}
                </p>
              )}
            </fieldset>
          )}
        />
        {(create.fault ?? refusal) && <ErrorBar fault={(create.fault ?? refusal)!} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy}>
            {t('Create token')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Made({ name, token, onDone }: { name: string; token: string; onDone: () => void }) {
  const call = `curl ${location.origin}/graphql \\\n  -H "Authorization: Bearer ${token}" \\\n  -H "Content-Type: application/json" \\\n  -d '{"query": "{ viewer { name } }"}'`
  return (
    <Once title={t('{{name}} is ready', { name })} description={t('This is the token. Copy it now: it is stored hashed and can never be shown again.')} acknowledge={t('I have stored the token in a safe place')} onDone={onDone}>
      <Copyable text={token} label={t('Copy token')} testId="token" />
      <h3 className="mt-5 mb-2 font-semibold">{t('Try it')}</h3>
      <pre tabIndex={0} role="region" aria-label={t('Example call')} className="max-h-40 overflow-auto rounded-md border border-line bg-bg p-3 font-mono text-xs leading-5">
        {call}
      </pre>
    </Once>
  )
}
