import { zodResolver } from '@hookform/resolvers/zod'
import { useState } from 'react'
import { Controller, type FieldErrors, useForm, type UseFormRegister } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { ModelCreateDocument, type ModelPartsFragment, ModelPricePublishDocument, type ProviderPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { type GrantChoice, GrantTo, grantTo, grantToAll } from '@/features/access'
import { PriceFields, priceShape, type PriceValues, toPrice } from './price'

export const tokens = z.string().regex(/^[1-9]\d{0,8}$/, t('Enter a whole number of tokens.'))

const schema = z.object({
  providerId: z.string().min(1, t('Choose the provider.')),
  name: z.string().trim().min(1, t('Enter the name that callers use.')).max(120),
  upstreamName: z.string().trim(),
  contextLength: tokens,
  maxOutputTokens: tokens,
  ...priceShape,
})

type Values = z.infer<typeof schema>

type Props = { /** The plane's id. */ rootId: string; provider: ProviderPartsFragment | null; providers: readonly ProviderPartsFragment[]; onClose: () => void }

export function CreateModel({ rootId, provider, providers, onClose }: Props) {
  const create = useMutate(ModelCreateDocument)
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { providerId: provider?.id ?? (providers.length === 1 ? providers[0]!.id : ''), name: '', upstreamName: '', contextLength: '128000', maxOutputTokens: '4096', input: '', output: '', cachedInput: '' },
  })
  const [access, setAccess] = useState<GrantChoice>(grantToAll)
  const [accessError, setAccessError] = useState<string>()
  const { errors } = formState
  const options = [...(provider && providers.every((p) => p.id !== provider.id) ? [provider] : []), ...providers].map((p) => ({ value: p.id, label: p.name }))
  const save = handleSubmit(async (v) => {
    if (access.to === 'some' && access.scopes.length === 0) return setAccessError(t('Choose at least one, or nobody yet.'))
    setAccessError(undefined)
    const payload = await create.run({
      input: { providerId: v.providerId, name: v.name, upstreamName: v.upstreamName || undefined, contextLength: Number(v.contextLength), maxOutputTokens: Number(v.maxOutputTokens), price: toPrice(v), grantTo: grantTo(access, rootId) },
    })
    if (!payload) return
    if (payload.model) {
      toast(access.to === 'nobody' ? t('{{model}} is added; nobody may use it yet', { model: v.name }) : t('{{model}} can be called in Console', { model: v.name }))
      return onClose()
    }
    for (const [field, message] of Object.entries(byField(payload.errors))) {
      if (field === 'grantTo') setAccessError(message)
      else if (field === 'price') setError('input', { message })
      else if (field in v) setError(field as keyof Values, { message })
      else create.setFault({ code: 'INVALID', message })
    }
  })
  return (
    <Dialog open onClose={onClose} title={t('Add model')} description={t('Callers name it in `model`; it is charged by this price from now on.')}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <Field label={t('Provider')} required error={errors.providerId?.message}>
          {(wiring) => <Controller name="providerId" control={control} render={({ field }) => <Select {...wiring} options={options} value={field.value || null} onChange={field.onChange} placeholder={t('Choose')} />} />}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Name')} required error={errors.name?.message}>
            {(wiring) => <Input {...wiring} {...register('name')} autoFocus placeholder="gpt-5-mini" />}
          </Field>
          <Field label={t("Provider's name for it")} error={errors.upstreamName?.message} hint={t('Empty: the same.')}>
            {(wiring) => <Input {...wiring} {...register('upstreamName')} />}
          </Field>
          <Field label={t('Context, tokens')} required error={errors.contextLength?.message}>
            {(wiring) => <Input {...wiring} {...register('contextLength')} inputMode="numeric" className="num" />}
          </Field>
          <Field label={t('Longest answer, tokens')} required error={errors.maxOutputTokens?.message}>
            {(wiring) => <Input {...wiring} {...register('maxOutputTokens')} inputMode="numeric" className="num" />}
          </Field>
        </div>
        <PriceFields register={register as unknown as UseFormRegister<PriceValues>} errors={errors as FieldErrors<PriceValues>} />
        <GrantTo plane="CONSOLE" value={access} onChange={setAccess} error={accessError} />
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Add in Console')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

export function PublishPrice({ model, onClose }: { model: ModelPartsFragment; onClose: () => void }) {
  const publish = useMutate(ModelPricePublishDocument)
  const { register, handleSubmit, setError, formState } = useForm<PriceValues>({
    resolver: zodResolver(z.object(priceShape)),
    defaultValues: { input: model.price?.input ?? '', output: model.price?.output ?? '', cachedInput: model.price?.cachedInput ?? '' },
  })
  const save = handleSubmit(async (v) => {
    const payload = await publish.run({ input: { modelId: model.id, price: toPrice(v) } })
    if (!payload) return
    if (payload.model) {
      toast(t('{{model}} has a new price', { model: model.name }))
      return onClose()
    }
    setError('input', { message: payload.errors[0]?.message ?? '' })
  })
  return (
    <Dialog open onClose={onClose} title={t('Price of {{model}}', { model: model.name })} description={t('Holds for calls that begin from now on; charges before keep their price.')}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <PriceFields register={register} errors={formState.errors} />
        {publish.fault && <ErrorBar fault={publish.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {t('Publish in Console')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
