import { zodResolver } from '@hookform/resolvers/zod'
import { ArrowLeft, MailCheck } from 'lucide-react'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { PasswordResetRequestDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Field, Input } from '@/kit/field'
import { GateHead } from '@/kit/gate'
import { ErrorBar, Empty } from '@/kit/state'
import { t } from '@/lib/i18n'

const schema = z.object({ email: z.string().trim().min(1, t('Enter your e-mail address.')).email(t("This doesn't look like an e-mail address.")) })

/** Asks for a mail with a link; the answer never tells whether the address is known. */
export function Forgot({ email, onBack }: { email: string; onBack: () => void }) {
  const ask = useMutate(PasswordResetRequestDocument)
  const [sent, setSent] = useState<string>()
  const { register, handleSubmit, setError, formState } = useForm<{ email: string }>({ resolver: zodResolver(schema), defaultValues: { email } })
  const send = async ({ email }: { email: string }) => {
    const payload = await ask.run({ input: { email } })
    if (!payload) return
    const said = Object.values(byField(payload.errors))[0]
    if (said) return setError('email', { message: said }, { shouldFocus: true })
    setSent(email)
  }
  const back = (
    <Button variant="ghost" size="sm" className="-ms-2 mt-3" onClick={onBack}>
      <ArrowLeft aria-hidden /> {t('Back to signing in')}
    </Button>
  )
  if (sent) {
    return (
      <div role="status">
        <div className="-mx-6 -my-8">
          <Empty page icon={<MailCheck aria-hidden />} title={t('Look into your mail')}>
            {t('If {{email}} signs in here with a password, a link to choose a new one is on its way. It works once, within an hour.', { email: sent })}
          </Empty>
        </div>
        {back}
      </div>
    )
  }
  return (
    <form noValidate onSubmit={handleSubmit(send)}>
      <GateHead title={t('Forgot your password?')}>{t('You get a mail with a link to choose a new one.')}</GateHead>
      <div className="flex flex-col gap-4">
        <Field label={t('E-mail')} error={formState.errors.email?.message}>
          {(wiring) => <Input {...wiring} {...register('email')} type="email" autoComplete="username" autoFocus />}
        </Field>
        <Button type="submit" variant="primary" busy={ask.busy}>
          {t('Send the link')}
        </Button>
        {ask.fault && <ErrorBar fault={ask.fault} />}
      </div>
      {back}
    </form>
  )
}
