import { zodResolver } from '@hookform/resolvers/zod'
import { useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField, type Fault } from '@/graphql/fault'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

const schema = z.object({
  name: z.string().trim().min(1, t('Give it a name.')).max(120),
  baseUrl: z
    .string()
    .trim()
    .regex(/^https?:\/\/[^\s/]+/, t('Enter an address such as https://api.openai.com/v1.')),
  secret: z.string(),
})

type Endpoint = { name: string; baseUrl: string; secret?: string }

type Props = {
  title: string
  description: string
  submit: string
  fault?: Fault
  onClose: () => void
  /** Gives the errors of the server, which land under their fields. */
  onSubmit: (values: Endpoint) => Promise<readonly { message: string; code: string; path: readonly string[] }[]>
}

/** Name, address and key of an LLM endpoint, the account's own or the platform's. */
export function EndpointForm({ title, description, submit, fault, onClose, onSubmit }: Props) {
  const { register, handleSubmit, setError, formState } = useForm({ resolver: zodResolver(schema), defaultValues: { name: '', baseUrl: '', secret: '' } })
  const { errors } = formState
  const save = handleSubmit(async (values) => {
    const found = byField(await onSubmit({ ...values, secret: values.secret || undefined }))
    for (const [field, message] of Object.entries(found)) setError(field in values ? (field as 'name') : 'root', { message })
  })
  return (
    <Dialog open onClose={onClose} title={title} description={description}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <Field label={t('Name')} required error={errors.name?.message}>
          {(wiring) => <Input {...wiring} {...register('name')} autoFocus placeholder="OpenAI EU" />}
        </Field>
        <Field label={t('Base URL')} required error={errors.baseUrl?.message} hint={t('Up to and including the version.')}>
          {(wiring) => <Input {...wiring} {...register('baseUrl')} type="url" placeholder="https://api.openai.com/v1" />}
        </Field>
        <Field label={t('Key')} error={errors.secret?.message} hint={t('Empty when the endpoint needs none.')}>
          {(wiring) => <Input {...wiring} {...register('secret')} type="password" autoComplete="off" />}
        </Field>
        {errors.root && <ErrorBar fault={{ code: 'INVALID', message: errors.root.message ?? '' }} />}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={formState.isSubmitting}>
            {submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
