import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, useForm, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField, type Fault } from '@/graphql/fault'
import { AccountCreateDocument, type LinkPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { Checkbox } from '@/kit/toggle'
import { ZonePicker } from '@/kit/zone-picker'
import { ownTimeZone, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { Links } from '@/features/invitations'
import { slugProblem, suggestSlug } from './slug'

const schema = z
  .object({
    name: z.string().trim().min(1, t('Enter what the account is called.')).max(120, t('At most 120 characters.')),
    slug: z.string().refine((s) => !slugProblem(s), { error: (issue) => slugProblem(String(issue.input)) ?? '' }),
    timeZone: z.string().min(1, t('Choose a time zone.')),
    planes: z.array(z.enum(['CONSOLE', 'COPILOT'])).min(1, t('Choose at least one product.')),
    credits: z.string().trim(),
    adminEmail: z.string().trim().min(1, t('Enter who is invited as the first admin.')).email(t("This doesn't look like an e-mail address.")),
    adminName: z.string().trim().max(120, t('At most 120 characters.')),
  })
  .refine((v) => !v.planes.includes('COPILOT') || !v.credits || parseAmount(v.credits) !== null, { path: ['credits'], error: t('Enter an amount such as 100000, or leave it empty.') })

type Values = z.infer<typeof schema>

type Made = { id: string; name: string; link?: LinkPartsFragment }

const products: readonly { value: Plane; label: string; note: string }[] = [
  { value: 'CONSOLE', label: t('Console'), note: t('Own models and providers, budgets in US dollars') },
  { value: 'COPILOT', label: t('Copilot'), note: t('Models of the platform, budgets in credits') },
]

/** A new account with its first admin, whose link is shown once. */
export function CreateAccount({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const [made, setMade] = useState<Made>()
  if (made?.link) return <Links links={[made.link]} onDone={() => onMade(made.id)} />
  return <CreateForm onClose={onClose} onMade={(m) => (m.link ? setMade(m) : onMade(m.id))} />
}

function CreateForm({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const create = useMutate(AccountCreateDocument)
  const [refusal, setRefusal] = useState<Fault>()
  const { register, control, handleSubmit, setError, setValue, formState } = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { name: '', slug: '', timeZone: ownTimeZone(), planes: ['CONSOLE', 'COPILOT'], credits: '', adminEmail: '', adminName: '' },
  })
  const { errors } = formState
  // The name for addresses follows the name until somebody writes another one.
  const [own, setOwn] = useState(false)
  const slug = useWatch({ control, name: 'slug' })
  const copilot = useWatch({ control, name: 'planes' }).includes('COPILOT')

  const make = async (v: Values) => {
    setRefusal(undefined)
    const input = { name: v.name, slug: v.slug, timeZone: v.timeZone, planes: v.planes, credits: copilot ? (parseAmount(v.credits) ?? undefined) : undefined, adminEmail: v.adminEmail, adminName: v.adminName || undefined }
    const payload = await create.run({ input })
    if (!payload) return
    if (payload.account) return onMade({ id: payload.account.id, name: payload.account.name, link: payload.invitation ?? undefined })
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field in v) setError(field as keyof Values, { message }, { shouldFocus: true })
      else setRefusal({ code: 'INVALID', message })
    }
  }
  const fault = create.fault ?? refusal
  return (
    <Dialog open onClose={onClose} title={t('New account')} description={t('Its first admin gets an invitation. Nothing of an existing person is changed.')} className="max-w-xl">
      <form noValidate onSubmit={handleSubmit(make)} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Name')} required error={errors.name?.message}>
            {(wiring) => <Input {...wiring} {...register('name', { onChange: (e) => own || setValue('slug', suggestSlug(e.target.value), { shouldValidate: formState.isSubmitted }) })} autoFocus autoComplete="off" placeholder={t('Acme Corp')} />}
          </Field>
          <Field label={t('Name in addresses')} required error={errors.slug?.message} hint={`${location.host}/a/${slug || '…'}`}>
            {(wiring) => <Input {...wiring} {...register('slug', { onChange: (e) => setOwn(e.target.value !== '') })} autoComplete="off" autoCapitalize="none" spellCheck={false} className="font-mono" />}
          </Field>
        </div>
        <Field label={t('Time zone')} required error={errors.timeZone?.message} hint={t('Budget cycles begin at its midnight.')}>
          {(wiring) => <Controller name="timeZone" control={control} render={({ field }) => <ZonePicker {...wiring} value={field.value} onChange={field.onChange} />} />}
        </Field>
        <Controller
          name="planes"
          control={control}
          render={({ field }) => (
            <fieldset>
              <legend className="mb-1.5 text-sm font-medium">{t('Products')}</legend>
              <div className="grid gap-2 sm:grid-cols-2">
                {products.map((p) => (
                  <div key={p.value} className="rounded-md border border-line px-3 py-2">
                    <Checkbox checked={field.value.includes(p.value)} onChange={(on) => field.onChange(products.map((o) => o.value).filter((v) => (v === p.value ? on : field.value.includes(v))))}>
                      <span className="font-medium">{p.label}</span>
                      <span className="block text-xs text-muted">{p.note}</span>
                    </Checkbox>
                  </div>
                ))}
              </div>
              {errors.planes && (
                <p role="alert" className="mt-1.5 text-xs text-bad">
                  {errors.planes.message}
                </p>
              )}
            </fieldset>
          )}
        />
        {copilot && (
          <Field label={t('First credits')} error={errors.credits?.message} hint={t('What every cycle of its Copilot starts with. Empty: none yet, and every call in Copilot is refused.')}>
            {(wiring) => <Input {...wiring} {...register('credits')} inputMode="decimal" autoComplete="off" className="num" />}
          </Field>
        )}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('E-mail of the first admin')} required error={errors.adminEmail?.message}>
            {(wiring) => <Input {...wiring} {...register('adminEmail')} type="email" autoComplete="off" placeholder="ada@example.com" />}
          </Field>
          <Field label={t('Their name')} error={errors.adminName?.message} hint={t('May be left empty.')}>
            {(wiring) => <Input {...wiring} {...register('adminName')} autoComplete="off" />}
          </Field>
        </div>
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Create account')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
