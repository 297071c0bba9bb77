import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, type FieldErrors, useForm, type UseFormRegister, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { CatalogModelCreateDocument, type CatalogPartsFragment, CatalogPricePublishDocument, type CentralPartsFragment, type PriceInput } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { exact, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { PricePreview } from './preview'
import { capabilityName, PriceFields, priceShape, type PriceValues, tokens, toPrice } from '@/features/models'

const schema = z.object({
  centralProviderId: z.string().min(1, t('Choose the upstream.')),
  name: z.string().trim().min(1, t('Enter the name that callers use.')).max(120),
  upstreamName: z.string().trim(),
  description: z.string().trim(),
  capability: z.enum(['FAST', 'BALANCED', 'SMART', 'THINKING']),
  contextLength: tokens,
  maxOutputTokens: tokens,
  active: z.boolean(),
  ...priceShape,
})

type Values = z.infer<typeof schema>

const capabilities = (Object.keys(capabilityName) as (keyof typeof capabilityName)[]).map((value) => ({ value, label: capabilityName[value] }))

export function CreateCatalogModel({ providers, onClose }: { providers: readonly CentralPartsFragment[]; onClose: () => void }) {
  const create = useMutate(CatalogModelCreateDocument)
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { centralProviderId: providers.length === 1 ? providers[0]!.id : '', name: '', upstreamName: '', description: '', capability: 'BALANCED', contextLength: '128000', maxOutputTokens: '8192', active: true, input: '', output: '', cachedInput: '' },
  })
  const { errors } = formState
  const save = handleSubmit(async (v) => {
    const payload = await create.run({
      input: {
        centralProviderId: v.centralProviderId,
        name: v.name,
        upstreamName: v.upstreamName || v.name,
        description: v.description || undefined,
        capability: v.capability,
        contextLength: Number(v.contextLength),
        maxOutputTokens: Number(v.maxOutputTokens),
        price: toPrice(v),
        status: v.active ? 'ACTIVE' : 'DRAFT',
      },
    })
    if (!payload) return
    if (payload.catalogModel) {
      toast(v.active ? t('Accounts can switch {{model}} on', { model: v.name }) : t('{{model}} is a draft', { model: v.name }))
      return onClose()
    }
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field === 'price') setError('input', { message })
      else if (field in v) setError(field as keyof Values, { message })
      else create.setFault({ code: 'INVALID', message })
    }
  })
  return (
    <Dialog open onClose={onClose} title={t('Add a model to the catalogue')} description={t('Accounts pay in credits: price × their factor.')}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Upstream')} required error={errors.centralProviderId?.message}>
            {(wiring) => <Controller name="centralProviderId" control={control} render={({ field }) => <Select {...wiring} options={providers.map((p) => ({ value: p.id, label: p.name }))} value={field.value || null} onChange={field.onChange} placeholder={t('Choose')} />} />}
          </Field>
          <Field label={t('Class')} required error={errors.capability?.message}>
            {(wiring) => <Controller name="capability" control={control} render={({ field }) => <Select {...wiring} options={capabilities} value={field.value} onChange={field.onChange} />} />}
          </Field>
          <Field label={t('Name')} required error={errors.name?.message}>
            {(wiring) => <Input {...wiring} {...register('name')} />}
          </Field>
          <Field label={t("Upstream's name for it")} error={errors.upstreamName?.message} hint={t('Empty: the same.')}>
            {(wiring) => <Input {...wiring} {...register('upstreamName')} />}
          </Field>
          <Field label={t('Context, tokens')} required error={errors.contextLength?.message}>
            {(wiring) => <Input {...wiring} {...register('contextLength')} inputMode="numeric" className="num" />}
          </Field>
          <Field label={t('Longest answer, tokens')} required error={errors.maxOutputTokens?.message}>
            {(wiring) => <Input {...wiring} {...register('maxOutputTokens')} inputMode="numeric" className="num" />}
          </Field>
        </div>
        <Field label={t('What it is good for')} error={errors.description?.message}>
          {(wiring) => <Input {...wiring} {...register('description')} />}
        </Field>
        <PriceFields register={register as unknown as UseFormRegister<PriceValues>} errors={errors as FieldErrors<PriceValues>} />
        <Controller
          name="active"
          control={control}
          render={({ field }) => (
            <Checkbox checked={field.value} onChange={field.onChange}>
              {t('Offer it to accounts at once')}
            </Checkbox>
          )}
        />
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Add to catalogue')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** Old and new side by side; what is charged follows from the moment of publishing. */
export function PublishCatalogPrice({ model, factor, onClose }: { model: CatalogPartsFragment; factor: string; onClose: () => void }) {
  const publish = useMutate(CatalogPricePublishDocument)
  const { register, handleSubmit, setError, control, formState } = useForm<PriceValues>({
    resolver: zodResolver(z.object(priceShape)),
    defaultValues: { input: model.price?.input ?? '', output: model.price?.output ?? '', cachedInput: model.price?.cachedInput ?? '' },
  })
  const now = useWatch({ control })
  const [begins, setBegins] = useState('')
  const [previewed, setPreviewed] = useState<PriceInput>()
  // A preview; the server computes what is charged, exactly.
  const credits = (dollars = '') => {
    const amount = parseAmount(dollars)
    return amount === null ? '–' : exact(String(Math.ceil(Number(amount) * Number(factor))), 'CREDITS')
  }
  const save = handleSubmit(async (v) => {
    const payload = await publish.run({ input: { catalogModelId: model.id, price: toPrice(v), effectiveFrom: begins ? `${begins}T00:00:00Z` : undefined } })
    if (!payload) return
    if (payload.catalogModel) {
      toast(begins ? t('{{model}} will have a new price', { model: model.name }) : t('{{model}} has a new price', { model: model.name }))
      return onClose()
    }
    setError('input', { message: payload.errors[0]?.message ?? '' })
  })
  const rows = [
    [t('Input'), model.creditPrice?.input, now.input],
    [t('Output'), model.creditPrice?.output, now.output],
  ] as const
  return (
    <Dialog open onClose={onClose} className="max-w-xl" title={t('Price of {{model}}', { model: model.name })} description={t('Holds for calls that begin from then on, in {{count}} accounts.', { count: model.accountCount ?? 0 })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <PriceFields register={register} errors={formState.errors} />
        <Field label={t('Begins')} hint={t('At midnight UTC, at most 400 days ahead; empty: now.')}>
          {(wiring) => <Input {...wiring} type="date" value={begins} onChange={(e) => setBegins(e.target.value)} />}
        </Field>
        <table className="w-full text-sm">
          <caption className="pb-1 text-start text-xs text-muted">{t('Credits per 1,000,000 tokens at the default factor')}</caption>
          <thead>
            <tr className="text-xs text-muted">
              <th />
              <th scope="col" className="py-1 text-end font-medium">
                {t('Now')}
              </th>
              <th scope="col" className="py-1 text-end font-medium">
                {t('New')}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, before, after]) => (
              <tr key={name} className="border-t border-line">
                <th scope="row" className="py-1.5 text-start font-normal">
                  {name}
                </th>
                <td className="text-end text-muted">{before ? exact(before, 'CREDITS') : '–'}</td>
                <td className="text-end font-medium">{credits(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {previewed && <PricePreview modelId={model.id} price={previewed} />}
        {publish.fault && <ErrorBar fault={publish.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button onClick={handleSubmit((v) => setPreviewed(toPrice(v)))}>{t('Preview')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Publish price')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
