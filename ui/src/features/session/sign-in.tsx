import { zodResolver } from '@hookform/resolvers/zod'
import { ArrowLeft, ChevronRight, KeyRound } from 'lucide-react'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { useClient } from 'urql'
import { z } from '@/lib/zod'
import { byField, type Fault, toFault } from '@/graphql/fault'
import { SessionCreateDocument, type SessionCreateMutation, SignInMethodsDocument, type SignInMethodsQuery } from '@/graphql/generated/graphql'
import type { Viewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Button, buttonClass } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { Field, Input } from '@/kit/field'
import { Gate, GateHead } from '@/kit/gate'
import { Notice } from '@/kit/notice'
import { PasswordInput } from '@/kit/password'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { startAt } from '@/lib/url'
import { Forgot } from './forgot'
import { problemOf } from './problem'

type Methods = SignInMethodsQuery['signInMethods']
type Choices = SessionCreateMutation['sessionCreate']['choices']

type Props = {
  /** The page that was asked for. */
  next?: string
  email?: string
  /** What another page has to say: a code, and the request that it came of. */
  error?: string
  request?: string
  onSignedIn: (viewer: Viewer) => void
}

/** Address first: it decides whether a password or an identity provider is asked. */
export function SignInPage({ next, email: given = '', error, request, onSignedIn }: Props) {
  const [email, setEmail] = useState(given)
  const [methods, setMethods] = useState<Methods>()
  const [forgot, setForgot] = useState(false)
  const problem = problemOf(error)
  const restart = () => {
    setMethods(undefined)
    setForgot(false)
  }
  return (
    <Gate title={t('Sign in')} foot={t('No account? Ask the admin of your organization for an invitation.')}>
      {problem && !methods && !forgot && (
        <Notice tone={error === 'expired' ? 'info' : 'bad'} alert title={problem.title} className="mb-5">
          <p>{problem.text}</p>
          {request && (
            <p className="mt-1 flex min-w-0 items-center gap-1 text-xs text-muted">
              {t('Request')} <code className="min-w-0 truncate font-mono">{request}</code> <CopyButton compact text={request} label={t('Copy request id')} />
            </p>
          )}
        </Notice>
      )}
      {forgot ? (
        <Forgot email={email} onBack={() => setForgot(false)} />
      ) : methods ? (
        <Ways email={email} methods={methods} next={next} onSignedIn={onSignedIn} onRestart={restart} onForgot={() => setForgot(true)} />
      ) : (
        <Address
          email={email}
          onFound={(email, methods) => {
            setEmail(email)
            setMethods(methods)
          }}
        />
      )}
    </Gate>
  )
}

const addressSchema = z.object({ email: z.string().trim().min(1, t('Enter your e-mail address.')).email(t("This doesn't look like an e-mail address.")) })

function Address({ email, onFound }: { email: string; onFound: (email: string, methods: Methods) => void }) {
  const client = useClient()
  const [fault, setFault] = useState<Fault>()
  const { register, handleSubmit, formState } = useForm<{ email: string }>({ resolver: zodResolver(addressSchema), defaultValues: { email } })
  const find = async ({ email }: { email: string }) => {
    setFault(undefined)
    const result = await client.query(SignInMethodsDocument, { email }, { requestPolicy: 'network-only' })
    if (result.error || !result.data) return setFault(result.error && toFault(result.error))
    onFound(email, result.data.signInMethods)
  }
  return (
    <form noValidate onSubmit={handleSubmit(find)}>
      <GateHead title={t('Sign in')}>{t('To run your models, budgets and agents.')}</GateHead>
      <div className="flex flex-col gap-4">
        <Field label={t('E-mail')} error={formState.errors.email?.message}>
          {(wiring) => <Input {...wiring} {...register('email')} type="email" autoComplete="username" autoFocus />}
        </Field>
        <Button type="submit" variant="primary" busy={formState.isSubmitting}>
          {t('Continue')}
        </Button>
        {fault && <ErrorBar fault={fault} />}
      </div>
    </form>
  )
}

type WaysProps = { email: string; methods: Methods; next?: string; onSignedIn: (viewer: Viewer) => void; onRestart: () => void; onForgot: () => void }

function Ways({ email, methods, next, onSignedIn, onRestart, onForgot }: WaysProps) {
  const { providers } = methods
  // Admins keep their password as a way back where single sign-on is enforced.
  const [withPassword, setWithPassword] = useState(methods.password || providers.length === 0)
  const [choosing, setChoosing] = useState<{ password: string; choices: Choices }>()
  if (choosing) return <Accounts email={email} {...choosing} onSignedIn={onSignedIn} onRestart={onRestart} />
  return (
    <>
      <GateHead title={t('Sign in')}>
        <span className="flex min-w-0 items-center gap-1.5">
          <span className="min-w-0 truncate">{email}</span>
          <button type="button" onClick={onRestart} className="min-h-6 shrink-0 rounded-sm px-1 font-medium text-accent-text underline-offset-4 hover:underline">
            {t('Change')}
          </button>
        </span>
      </GateHead>
      {providers.length > 0 && (
        <ul className="flex flex-col gap-2">
          {providers.map((p, i) => (
            <li key={p.id}>
              {/* A page of the server that leads on to the provider's, so not a link within this one. */}
              <a href={startAt(p.startUrl, { return: next })} autoFocus={i === 0} className={cx(buttonClass({ variant: withPassword ? 'secondary' : 'primary' }), 'h-10 w-full')}>
                <KeyRound aria-hidden /> <span className="truncate">{t('Continue with {{provider}}', { provider: p.name })}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {providers.length > 0 && withPassword && (
        <p className="my-4 flex items-center gap-3 text-xs text-muted before:h-px before:grow before:bg-line after:h-px after:grow after:bg-line">{t('or')}</p>
      )}
      {withPassword ? (
        <Password email={email} autoFocus={providers.length === 0 || !methods.password} onSignedIn={onSignedIn} onForgot={onForgot} onChoices={(password, choices) => setChoosing({ password, choices })} />
      ) : (
        <p className="mt-4 text-center">
          <button type="button" onClick={() => setWithPassword(true)} className="min-h-6 rounded-sm px-1 text-muted underline decoration-line-strong underline-offset-4 hover:text-fg">
            {t('Use a password instead')}
          </button>
        </p>
      )}
    </>
  )
}

const passwordSchema = z.object({ password: z.string().min(1, t('Enter your password.')) })

type PasswordProps = { email: string; autoFocus: boolean; onSignedIn: (viewer: Viewer) => void; onForgot: () => void; onChoices: (password: string, choices: Choices) => void }

function Password({ email, autoFocus, onSignedIn, onForgot, onChoices }: PasswordProps) {
  const client = useClient()
  const [fault, setFault] = useState<Fault>()
  const { register, handleSubmit, setError, formState } = useForm<{ password: string }>({ resolver: zodResolver(passwordSchema) })
  const signIn = async ({ password }: { password: string }) => {
    setFault(undefined)
    const result = await client.mutation(SessionCreateDocument, { input: { email, password } })
    if (result.error) return setFault(toFault(result.error))
    const { viewer, choices, errors } = result.data!.sessionCreate
    if (viewer) return onSignedIn(viewer)
    if (choices.length > 0) return onChoices(password, choices)
    const found = byField(errors)
    setError('password', { message: found.password ?? found.email ?? Object.values(found)[0] ?? t('Sign-in was refused.') }, { shouldFocus: true })
  }
  return (
    <form noValidate onSubmit={handleSubmit(signIn)} className="flex flex-col gap-4">
      {/* For password managers, which look for a name beside the password. */}
      <input type="email" value={email} readOnly hidden autoComplete="username" />
      <Field label={t('Password')} error={formState.errors.password?.message}>
        {(wiring) => <PasswordInput {...wiring} {...register('password')} autoComplete="current-password" autoFocus={autoFocus} />}
      </Field>
      <Button type="submit" variant="primary" busy={formState.isSubmitting}>
        {t('Sign in')}
      </Button>
      <button type="button" onClick={onForgot} className="min-h-6 self-center rounded-sm px-1 text-muted underline decoration-line-strong underline-offset-4 hover:text-fg">
        {t('Forgot your password?')}
      </button>
      {fault && <ErrorBar fault={fault} />}
    </form>
  )
}

type AccountsProps = { email: string; password: string; choices: Choices; onSignedIn: (viewer: Viewer) => void; onRestart: () => void }

/** The address belongs to users of several accounts: one goes on in one of them. */
function Accounts({ email, password, choices, onSignedIn, onRestart }: AccountsProps) {
  const client = useClient()
  const [busy, setBusy] = useState<string>()
  const [fault, setFault] = useState<Fault>()
  const enter = async (accountId: string) => {
    setBusy(accountId)
    setFault(undefined)
    const result = await client.mutation(SessionCreateDocument, { input: { email, password, accountId } })
    setBusy(undefined)
    if (result.error) return setFault(toFault(result.error))
    const { viewer, errors } = result.data!.sessionCreate
    if (viewer) onSignedIn(viewer)
    else setFault({ code: errors[0]?.code ?? 'INVALID', message: errors[0]?.message ?? t('Sign-in was refused.') })
  }
  return (
    <>
      <GateHead title={t('Choose an account')}>{t('Your e-mail address belongs to several.')}</GateHead>
      <ul className="flex flex-col gap-1.5">
        {choices.map((c, i) => (
          <li key={c.id}>
            <Button className="h-12 w-full justify-start" autoFocus={i === 0} busy={busy === c.id} disabled={busy !== undefined} onClick={() => enter(c.id)}>
              <Avatar name={c.name} />
              <span className="grow truncate text-start">{c.name}</span>
              <ChevronRight aria-hidden className="text-muted" />
            </Button>
          </li>
        ))}
      </ul>
      <Button variant="ghost" size="sm" className="mt-3 -ms-2" onClick={onRestart}>
        <ArrowLeft aria-hidden /> {t('Another e-mail address')}
      </Button>
      {fault && (
        <div className="mt-4">
          <ErrorBar fault={fault} />
        </div>
      )}
    </>
  )
}
