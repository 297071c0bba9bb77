import { zodResolver } from '@hookform/resolvers/zod'
import { type FormEvent, useState } from 'react'
import { useForm, useWatch } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { MyProfileDocument, type MyProfileQuery, PasswordSetDocument, UserUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Field, Input } from '@/kit/field'
import { PageHead } from '@/kit/page'
import { PasswordInput, StrengthHint } from '@/kit/password'
import { SkeletonBlock } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { EndSessions, SessionRows } from '@/features/users'
import { MeTabs } from './tabs'

type User = NonNullable<MyProfileQuery['viewer']['user']>

/** Name, password, and where one is signed in. */
export function ProfilePage() {
  const viewer = useViewer()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(MyProfileDocument, {}, (d) => d.viewer.sessions)
  const user = data?.viewer.user
  return (
    <>
      <MeTabs />
      <PageHead title={t('Profile & sessions')} note={t('{{name}} in {{account}}', { name: viewer.user?.name ?? viewer.name, account: viewer.account.name })} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-96" />}
      {data && (
        <div className="flex max-w-3xl flex-col gap-4">
          {user && <Profile key={user.version} user={user} />}
          {user && <Password email={user.email} name={user.name} />}
          <Card>
            <CardHead title={t('Sessions')} note={t('Browsers that are signed in as you in this account.')}>
              {user && rows.length > 1 && <EndSessions userId={user.id} label={t('Sign out everywhere else')} />}
            </CardHead>
            <div className="px-4 pb-4">
              <SessionRows rows={rows} more={more} busy={fetching} revocable />
            </div>
          </Card>
        </div>
      )}
    </>
  )
}

function Profile({ user }: { user: User }) {
  const update = useMutate(UserUpdateDocument)
  const [name, setName] = useState(user.name)
  const [error, setError] = useState<string>()
  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!name.trim()) return setError(t('Enter your name.'))
    const payload = await update.run({ input: { userId: user.id, name: name.trim(), expectedVersion: user.version ?? undefined } })
    if (!payload) return
    const said = Object.values(byField(payload.errors))[0]
    setError(said)
    if (!said) toast(t('Your name is saved'))
  }
  return (
    <Card>
      <CardHead title={t('Profile')} note={t('How others in the account see you.')} />
      <form noValidate onSubmit={save} className="grid gap-4 px-4 pt-1 pb-4 sm:grid-cols-2">
        <Field label={t('Name')} error={error}>
          {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} maxLength={120} autoComplete="name" />}
        </Field>
        <Field label={t('E-mail')} hint={t('You sign in with it; it stays as it is.')}>
          {(wiring) => <Input {...wiring} value={user.email} readOnly className="bg-bg" />}
        </Field>
        {update.fault && <ErrorBar fault={update.fault} />}
        {name.trim() !== user.name && (
          <div className="flex gap-2 sm:col-span-2">
            <Button type="submit" size="sm" variant="primary" busy={update.busy}>
              {t('Save name')}
            </Button>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                setName(user.name)
                setError(undefined)
              }}
            >
              {t('Discard')}
            </Button>
          </div>
        )}
      </form>
    </Card>
  )
}

const schema = z.object({
  currentPassword: z.string().min(1, t('Enter your present password.')),
  newPassword: z.string().min(12, t('At least 12 characters.')).max(256, t('At most 256 characters.')),
})

type Values = z.infer<typeof schema>

function Password({ email, name }: { email: string; name: string }) {
  const set = useMutate(PasswordSetDocument)
  const [open, setOpen] = useState(false)
  const { register, handleSubmit, setError, reset, control, formState } = useForm<Values>({ resolver: zodResolver(schema), defaultValues: { currentPassword: '', newPassword: '' } })
  const typed = useWatch({ control, name: 'newPassword' })
  const { errors } = formState
  const change = async (values: Values) => {
    const payload = await set.run({ input: values })
    if (!payload) return
    const found = byField(payload.errors)
    if (payload.errors.length > 0) {
      const field = found.newPassword ? 'newPassword' : 'currentPassword'
      return setError(field, { message: found[field] ?? Object.values(found)[0] }, { shouldFocus: true })
    }
    toast(t('Your password is changed; other sessions have ended'))
    reset()
    setOpen(false)
  }
  return (
    <Card>
      <CardHead title={t('Password')} note={t('Changing it ends your sessions everywhere else.')}>
        {!open && (
          <Button size="sm" onClick={() => setOpen(true)}>
            {t('Change password')}
          </Button>
        )}
      </CardHead>
      {open && (
        <form noValidate onSubmit={handleSubmit(change)} className="flex flex-col gap-4 px-4 pt-1 pb-4">
          <input type="email" value={email} readOnly hidden autoComplete="username" />
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t('Present password')} error={errors.currentPassword?.message}>
              {(wiring) => <PasswordInput {...wiring} {...register('currentPassword')} autoComplete="current-password" autoFocus />}
            </Field>
            <Field label={t('New password')} error={errors.newPassword?.message} hint={<StrengthHint password={typed} about={[name, email]} />}>
              {(wiring) => <PasswordInput {...wiring} {...register('newPassword')} autoComplete="new-password" />}
            </Field>
          </div>
          {set.fault && <ErrorBar fault={set.fault} />}
          <div className="flex gap-2">
            <Button type="submit" size="sm" variant="primary" busy={set.busy}>
              {t('Change password')}
            </Button>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                reset()
                setOpen(false)
              }}
            >
              {t('Cancel')}
            </Button>
          </div>
        </form>
      )}
    </Card>
  )
}
