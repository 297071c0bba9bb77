import { zodResolver } from '@hookform/resolvers/zod'
import { Link } from '@tanstack/react-router'
import { CircleCheck, Link2Off } from 'lucide-react'
import { useState } from 'react'
import { useForm, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { PasswordResetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button, buttonClass } from '@/kit/button'
import { Field } from '@/kit/field'
import { Gate, GateHead } from '@/kit/gate'
import { PasswordInput, StrengthHint } from '@/kit/password'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

const schema = z.object({ password: z.string().min(12, t('At least 12 characters.')).max(256, t('At most 256 characters.')) })

/** The page that the link of a reset mail opens. */
export function ResetPage({ token }: { token?: string }) {
  const reset = useMutate(PasswordResetDocument)
  const [done, setDone] = useState(false)
  const [spent, setSpent] = useState<string>()
  const { register, handleSubmit, setError, control, formState } = useForm<{ password: string }>({ resolver: zodResolver(schema), defaultValues: { password: '' } })
  const typed = useWatch({ control, name: 'password' })
  const save = async ({ password }: { password: string }) => {
    const payload = await reset.run({ input: { token: token ?? '', newPassword: password } })
    if (!payload) return
    const { newPassword, ...others } = byField(payload.errors)
    if (newPassword) return setError('password', { message: newPassword }, { shouldFocus: true })
    const said = Object.values(others)[0]
    if (said) return setSpent(said)
    setDone(true)
  }
  const title = t('Choose a new password')
  if (!token || spent) {
    return (
      <Gate title={title}>
        <div className="-m-6">
          <Empty
            page
            icon={<Link2Off aria-hidden />}
            title={t("This link doesn't work any more")}
            action={
              <Link to="/sign-in" className={buttonClass({ variant: 'primary' })}>
                {t('Ask for another one')}
              </Link>
            }
          >
            {spent ?? t('It is incomplete. Open it from the mail again, or ask for another one.')}
          </Empty>
        </div>
      </Gate>
    )
  }
  if (done) {
    return (
      <Gate title={title}>
        <div className="-m-6" role="status">
          <Empty
            page
            icon={<CircleCheck aria-hidden />}
            title={t('Your password is changed')}
            action={
              <Link to="/sign-in" className={buttonClass({ variant: 'primary' })}>
                {t('Sign in')}
              </Link>
            }
          >
            {t('All sessions that were open have ended.')}
          </Empty>
        </div>
      </Gate>
    )
  }
  return (
    <Gate title={title}>
      <form noValidate onSubmit={handleSubmit(save)}>
        <GateHead title={title}>{t('All your open sessions end with it.')}</GateHead>
        <div className="flex flex-col gap-4">
          <Field label={t('New password')} error={formState.errors.password?.message} hint={<StrengthHint password={typed} />}>
            {(wiring) => <PasswordInput {...wiring} {...register('password')} autoComplete="new-password" autoFocus />}
          </Field>
          <Button type="submit" variant="primary" busy={reset.busy}>
            {t('Change password')}
          </Button>
          {reset.fault && <ErrorBar fault={reset.fault} />}
        </div>
      </form>
    </Gate>
  )
}
