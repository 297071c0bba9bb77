import type { FieldErrors, UseFormRegister } from 'react-hook-form'
import { z } from '@/lib/zod'
import { Field, Input } from '@/kit/field'
import { parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'

const dollars = z.string().refine((s) => parseAmount(s) !== null, t('Enter dollars per 1,000,000 tokens, such as 2.50.'))

export const priceShape = {
  input: dollars,
  output: dollars,
  cachedInput: z.string().refine((s) => !s || parseAmount(s) !== null, t('Enter dollars per 1,000,000 tokens, such as 0.25.')),
}

export type PriceValues = { input: string; output: string; cachedInput: string }

export const toPrice = (v: PriceValues) => ({
  input: parseAmount(v.input)!,
  output: parseAmount(v.output)!,
  cachedInput: v.cachedInput ? parseAmount(v.cachedInput) : undefined,
})

/** The three prices that nearly every model has, in US dollars per 1,000,000 tokens. */
export function PriceFields({ register, errors }: { register: UseFormRegister<PriceValues>; errors: FieldErrors<PriceValues> }) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">{t('US dollars per 1,000,000 tokens')}</legend>
      <div className="grid grid-cols-3 gap-3">
        <Field label={t('Input')} required error={errors.input?.message}>
          {(wiring) => <Input {...wiring} {...register('input')} inputMode="decimal" className="num" placeholder="2.50" />}
        </Field>
        <Field label={t('Cached input')} error={errors.cachedInput?.message} hint={t('Empty: as input.')}>
          {(wiring) => <Input {...wiring} {...register('cachedInput')} inputMode="decimal" className="num" />}
        </Field>
        <Field label={t('Output')} required error={errors.output?.message}>
          {(wiring) => <Input {...wiring} {...register('output')} inputMode="decimal" className="num" placeholder="10.00" />}
        </Field>
      </div>
    </fieldset>
  )
}
