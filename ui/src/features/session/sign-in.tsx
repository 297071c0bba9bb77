import { zodResolver } from '@hookform/resolvers/zod'
import { ArrowLeft, ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { useClient } from 'urql'
import { z } from '@/lib/zod'
import { byField, type Fault, toFault } from '@/graphql/fault'
import { SessionCreateDocument, type SessionCreateMutation } from '@/graphql/generated/graphql'
import type { Viewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Button } from '@/kit/button'
import { Field, Input } from '@/kit/field'
import { Logo } from '@/kit/logo'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

const schema = z.object({
  email: z.string().min(1, t('Enter your e-mail address.')).email(t("This doesn't look like an e-mail address.")),
  password: z.string().min(1, t('Enter your password.')),
})

type Values = z.infer<typeof schema>

export function SignInPage({ onSignedIn }: { onSignedIn: (viewer: Viewer) => void }) {
  const [choices, setChoices] = useState<SessionCreateMutation['sessionCreate']['choices']>([])
  const [fault, setFault] = useState<Fault>()
  const client = useClient()
  const { register, handleSubmit, setError, getValues, formState } = useForm<Values>({ resolver: zodResolver(schema) })

  const signIn = async (values: Values, accountId?: string) => {
    setFault(undefined)
    const result = await client.mutation(SessionCreateDocument, { input: { ...values, accountId } })
    if (result.error) return setFault(toFault(result.error))
    const { viewer, choices, errors } = result.data!.sessionCreate
    if (viewer) return onSignedIn(viewer)
    if (choices.length > 0) return setChoices(choices)
    const found = byField(errors)
    setChoices([])
    setError('password', { message: found.password ?? found.email ?? Object.values(found)[0] ?? t('Sign-in was refused.') }, { shouldFocus: true })
  }

  return (
    <main className="relative flex min-h-dvh flex-col items-center justify-center overflow-hidden bg-bg px-4 py-10">
      <Backdrop />
      <div className="relative w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Logo className="size-7" />
          <span className="text-lg font-semibold tracking-tight">Cockpit</span>
        </div>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-xs">
          {choices.length > 0 ? (
            <>
              <h1 className="text-lg font-semibold">{t('Choose an account')}</h1>
              <p className="mt-0.5 mb-4 text-muted">{t('Your e-mail address belongs to several.')}</p>
              <ul className="flex flex-col gap-1.5">
                {choices.map((c) => (
                  <li key={c.id}>
                    <Button className="h-12 w-full justify-start" busy={formState.isSubmitting} onClick={() => signIn(getValues(), c.id)}>
                      <Avatar name={c.name} />
                      <span className="grow truncate text-start">{c.name}</span>
                      <ChevronRight aria-hidden className="text-muted" />
                    </Button>
                  </li>
                ))}
              </ul>
              <Button variant="ghost" size="sm" className="mt-3 -ms-2" onClick={() => setChoices([])}>
                <ArrowLeft aria-hidden /> {t('Another e-mail address')}
              </Button>
            </>
          ) : (
            <form noValidate onSubmit={handleSubmit((values) => signIn(values))}>
              <h1 className="text-lg font-semibold">{t('Sign in')}</h1>
              <p className="mt-0.5 mb-5 text-muted">{t('To run your models, budgets and agents.')}</p>
              <div className="flex flex-col gap-4">
                <Field label={t('E-mail')} error={formState.errors.email?.message}>
                  {(wiring) => <Input {...wiring} {...register('email')} type="email" autoComplete="username" autoFocus />}
                </Field>
                <Field label={t('Password')} error={formState.errors.password?.message}>
                  {(wiring) => <Input {...wiring} {...register('password')} type="password" autoComplete="current-password" />}
                </Field>
                <Button type="submit" variant="primary" busy={formState.isSubmitting}>
                  {t('Sign in')}
                </Button>
              </div>
            </form>
          )}
          {fault && (
            <div className="mt-4">
              <ErrorBar fault={fault} />
            </div>
          )}
        </div>
        <p className="mt-4 text-center text-xs text-muted">{t('No account? Ask the admin of your organization for an invitation.')}</p>
      </div>
    </main>
  )
}

/** The product's own picture: a budget burning towards its limit. */
function Backdrop() {
  return (
    <svg aria-hidden viewBox="0 0 1440 900" preserveAspectRatio="xMidYMax slice" className="absolute inset-0 size-full" fill="none">
      <g transform="translate(0 150)">
      <line x1={0} x2={1440} y1={40} y2={40} className="stroke-line" strokeWidth={2} strokeDasharray="3 9" />
      <path d="M0 820C90 810 130 800 200 788s120-6 190-44 110-14 180-62 120-34 190-52 110-72 190-96V1000H0Z" className="fill-accent-soft" opacity={0.6} />
      <path d="M0 820C90 810 130 800 200 788s120-6 190-44 110-14 180-62 120-34 190-52 110-72 190-96" className="stroke-accent" opacity={0.35} strokeWidth={2.5} />
      <path d="M950 534C1120 470 1280 380 1440 300" className="stroke-accent" opacity={0.35} strokeWidth={2.5} strokeDasharray="8 9" />
      <circle cx={950} cy={534} r={6} className="fill-accent" opacity={0.5} />
      </g>
    </svg>
  )
}
