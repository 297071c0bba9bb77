import { zodResolver } from '@hookform/resolvers/zod'
import { Link } from '@tanstack/react-router'
import { KeyRound, Link2Off } from 'lucide-react'
import { useState } from 'react'
import { useForm, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { InvitationAcceptDocument, InvitationPreviewDocument, type InvitationPreviewQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import type { Viewer } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { cx } from '@/kit/cx'
import { Field, Input } from '@/kit/field'
import { Gate, GateHead } from '@/kit/gate'
import { PasswordInput, StrengthHint } from '@/kit/password'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { startAt } from '@/lib/url'
import { roleMeans, roleName } from '@/features/roles'

type Preview = NonNullable<InvitationPreviewQuery['invitation']>

type Props = { token: string; onAccepted: (viewer: Viewer) => void }

/** The page that an invitation's link opens. */
export function AcceptPage({ token, onAccepted }: Props) {
  const { data, loading, fault, retry } = useRead(InvitationPreviewDocument, { token })
  const title = t('Invitation')
  return (
    <Gate title={title}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonBlock className="h-72" />}
      {data && !data.invitation && (
        <div className="-m-6">
          <Empty
            page
            icon={<Link2Off aria-hidden />}
            title={t("This invitation doesn't work any more")}
            action={
              <Link to="/sign-in" className={buttonClass({ variant: 'primary' })}>
                {t('Sign in')}
              </Link>
            }
          >
            {t('It was taken up already, taken back, replaced by a newer one, or it has expired. If you took it up yourself, sign in; else ask whoever invited you to send it again.')}
          </Empty>
        </div>
      )}
      {data?.invitation && <Offer token={token} preview={data.invitation} onAccepted={onAccepted} />}
    </Gate>
  )
}

/** "All of Acme", or the place within it. */
const where = (p: Preview) => (p.kind === 'ACCOUNT' ? undefined : p.kind === 'CONSOLE' ? t('Console') : p.kind === 'COPILOT' ? t('Copilot') : p.location)

function Offer({ token, preview: p, onAccepted }: { token: string; preview: Preview; onAccepted: (viewer: Viewer) => void }) {
  return (
    <>
      <GateHead title={p.name ? t('{{name}}, join {{account}}', { name: p.name, account: p.accountName }) : t('Join {{account}}', { account: p.accountName })}>
        {t('{{who}} invites you.', { who: p.invitedByName })}
      </GateHead>
      <dl className="mb-5 rounded-lg border border-line bg-bg px-3.5 py-2.5">
        <div className="flex items-baseline justify-between gap-4">
          <dt className="text-muted">{t('You become')}</dt>
          <dd className="min-w-0 text-end font-medium">
            {roleName[p.role]}
            {where(p) && <span className="block font-normal break-words text-muted">{where(p)}</span>}
          </dd>
        </div>
        <div className="mt-1.5 border-t border-line pt-1.5 text-xs text-muted">
          <dt className="sr-only">{t('That means')}</dt>
          <dd>{roleMeans(p.role, p.kind)}</dd>
        </div>
      </dl>
      {p.providers.length > 0 && (
        <ul className="flex flex-col gap-2">
          {p.providers.map((provider) => (
            <li key={provider.id}>
              <a href={startAt(provider.startUrl, { invitation: token })} className={cx(buttonClass({ variant: p.password ? 'secondary' : 'primary' }), 'h-10 w-full')}>
                <KeyRound aria-hidden /> <span className="truncate">{t('Join with {{provider}}', { provider: provider.name })}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {p.providers.length > 0 && p.password && <p className="my-4 flex items-center gap-3 text-xs text-muted before:h-px before:grow before:bg-line after:h-px after:grow after:bg-line">{t('or')}</p>}
      {p.password && (p.hasLogin ? <KnownForm token={token} preview={p} onAccepted={onAccepted} /> : <NewForm token={token} preview={p} onAccepted={onAccepted} />)}
      {!p.password && p.providers.length === 0 && <p className="text-muted">{t('{{account}} lets people in through its own sign-in alone, and none is set up for your address. Ask whoever invited you.', { account: p.accountName })}</p>}
      <p className="mt-5 text-xs text-muted">
        {t('For {{email}}, until', { email: p.email })} <time title={utc(p.expiresAt)}>{day(p.expiresAt)}</time>.
      </p>
    </>
  )
}

type FormProps = { token: string; preview: Preview; onAccepted: (viewer: Viewer) => void }

const newSchema = z.object({
  name: z.string().trim().min(1, t('Enter your name.')).max(120, t('At most 120 characters.')),
  password: z.string().min(12, t('At least 12 characters.')).max(256, t('At most 256 characters.')),
})

type NewValues = z.infer<typeof newSchema>

/** Somebody new to this Cockpit chooses a name and a password. */
function NewForm({ token, preview: p, onAccepted }: FormProps) {
  const accept = useMutate(InvitationAcceptDocument)
  const [refusal, setRefusal] = useState<string>()
  const { register, handleSubmit, setError, control, formState } = useForm<NewValues>({ resolver: zodResolver(newSchema), defaultValues: { name: p.name, password: '' } })
  const typed = useWatch({ control })
  const { errors } = formState
  const join = async (values: NewValues) => {
    setRefusal(undefined)
    const payload = await accept.run({ input: { token, ...values } })
    if (!payload) return
    if (payload.viewer) return onAccepted(payload.viewer)
    const { name, password, ...others } = byField(payload.errors)
    if (name) setError('name', { message: name }, { shouldFocus: true })
    if (password) setError('password', { message: password }, { shouldFocus: !name })
    if (!name && !password) setRefusal(Object.values(others)[0] ?? t('The invitation was refused.'))
  }
  return (
    <form noValidate onSubmit={handleSubmit(join)} className="flex flex-col gap-4">
      <input type="email" value={p.email} readOnly hidden autoComplete="username" />
      <Field label={t('Your name')} error={errors.name?.message}>
        {(wiring) => <Input {...wiring} {...register('name')} autoComplete="name" autoFocus={!p.name} />}
      </Field>
      <Field label={t('Choose a password')} error={errors.password?.message} hint={<StrengthHint password={typed.password ?? ''} about={[typed.name ?? '', p.email, p.accountName]} />}>
        {(wiring) => <PasswordInput {...wiring} {...register('password')} autoComplete="new-password" autoFocus={Boolean(p.name)} />}
      </Field>
      <Refusal text={refusal} />
      <Button type="submit" variant="primary" busy={accept.busy}>
        {t('Join {{account}}', { account: p.accountName })}
      </Button>
      {accept.fault && <ErrorBar fault={accept.fault} />}
    </form>
  )
}

const knownSchema = z.object({ password: z.string().min(1, t('Enter your password.')) })

/** Somebody who signs in here already proves it with the password they have. */
function KnownForm({ token, preview: p, onAccepted }: FormProps) {
  const accept = useMutate(InvitationAcceptDocument)
  const [refusal, setRefusal] = useState<string>()
  const { register, handleSubmit, setError, formState } = useForm<{ password: string }>({ resolver: zodResolver(knownSchema), defaultValues: { password: '' } })
  const join = async ({ password }: { password: string }) => {
    setRefusal(undefined)
    const payload = await accept.run({ input: { token, password } })
    if (!payload) return
    if (payload.viewer) return onAccepted(payload.viewer)
    const { password: wrong, ...others } = byField(payload.errors)
    if (wrong) setError('password', { message: wrong }, { shouldFocus: true })
    else setRefusal(Object.values(others)[0] ?? t('The invitation was refused.'))
  }
  return (
    <form noValidate onSubmit={handleSubmit(join)} className="flex flex-col gap-4">
      <input type="email" value={p.email} readOnly hidden autoComplete="username" />
      <Field label={t('Your password')} error={formState.errors.password?.message} hint={t('You sign in to this Cockpit with {{email}} already.', { email: p.email })}>
        {(wiring) => <PasswordInput {...wiring} {...register('password')} autoComplete="current-password" autoFocus />}
      </Field>
      <Refusal text={refusal} />
      <Button type="submit" variant="primary" busy={accept.busy}>
        {t('Join {{account}}', { account: p.accountName })}
      </Button>
      {accept.fault && <ErrorBar fault={accept.fault} />}
    </form>
  )
}

function Refusal({ text }: { text?: string }) {
  if (!text) return null
  return (
    <p role="alert" className="text-bad">
      {text}
    </p>
  )
}
