import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { UserPeekDocument, type UserPeekQuery, UserUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, readsAccount, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { Field, Input } from '@/kit/field'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { usePlaneOf } from '@/features/roles'
import { StatusBadge, StatusSwitch, UserSessions } from '@/features/users'
import { UserRoles } from './roles'
import { SeatLink } from './seat-link'

type User = Extract<NonNullable<UserPeekQuery['node']>, { email: string }>

type Part = 'overview' | 'roles' | 'sessions'

/** A person of the account over both planes. */
export function UserPeek({ id, onClose }: { id: string; onClose: () => void }) {
  const viewer = useViewer()
  const { data, loading, fault, retry } = useRead(UserPeekDocument, { id })
  const [part, setPart] = useState<Part>('overview')
  const user = data?.node && 'email' in data.node ? data.node : undefined
  return (
    <Sheet open onClose={onClose} className="max-w-lg" title={user?.name ?? t('Person')} description={user?.email}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !user && !fault && <p className="py-8 text-center text-muted">{t("This person doesn't exist (any more), or you may not see them.")}</p>}
      {user && (
        <Tabs<Part>
          label={t('Parts of {{name}}', { name: user.name })}
          value={part}
          onChange={setPart}
          tabs={[
            { value: 'overview', label: t('Overview'), content: <Overview key={user.version} user={user} /> },
            { value: 'roles', label: t('Roles'), content: <UserRoles user={user} roles={user.roles ?? []} /> },
            ...(readsAccount(viewer) ? [{ value: 'sessions' as const, label: t('Sessions'), content: <UserSessions userId={user.id} revocable={may(user, 'session.revoke')} /> }] : []),
          ]}
        />
      )}
    </Sheet>
  )
}

function Overview({ user }: { user: User }) {
  const viewer = useViewer()
  const update = useMutate(UserUpdateDocument)
  const [name, setName] = useState(user.name)
  const [error, setError] = useState<string>()
  const own = user.id === viewer.user?.id
  const allowed = may(user, 'user.update')
  const seats = user.seats ?? []
  const planeOf = usePlaneOf()
  const rename = async (event: FormEvent) => {
    event.preventDefault()
    if (!name.trim()) return setError(t('Enter a name.'))
    const payload = await update.run({ input: { userId: user.id, name: name.trim(), expectedVersion: user.version ?? undefined } })
    if (!payload) return
    const said = Object.values(byField(payload.errors))[0]
    setError(said)
    if (!said) toast(t('{{name}} is saved', { name: name.trim() }))
  }
  return (
    <div className="flex flex-col gap-5">
      {(allowed || own) && (
        <form noValidate onSubmit={rename} className="flex items-start gap-2">
          <Field label={t('Name')} error={error} className="grow">
            {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} maxLength={120} autoComplete="off" />}
          </Field>
          {name.trim() !== user.name && (
            <Button type="submit" variant="primary" className="mt-6.5" busy={update.busy}>
              {t('Save')}
            </Button>
          )}
        </form>
      )}
      {update.fault && <ErrorBar fault={update.fault} />}
      <Facts
        facts={[
          [t('Status'), <StatusBadge key="status" status={user.status} />],
          [t('Last sign-in'), user.lastSignInAt ? <time key="last" title={utc(user.lastSignInAt)}>{ago(user.lastSignInAt)}</time> : t('Never')],
          user.createdAt ? [t('Since'), dateTime(user.createdAt)] : null,
          [
            t('Seats'),
            seats.length === 0 ? (
              t('None that you see')
            ) : (
              <ul key="seats" className="flex flex-col gap-1">
                {seats.map((s) => (
                  <li key={s.id} className="flex flex-wrap items-center gap-x-2">
                    <SeatLink seat={s} plane={planeOf(s)} /> {s.isDefault && <Badge>{t('Default')}</Badge>}
                  </li>
                ))}
              </ul>
            ),
          ],
          [t('Id'), <Id key="id" id={user.id} />],
        ]}
      />
      {allowed && !own && (
        <div className="flex flex-wrap gap-2 border-t border-line pt-4">
          <StatusSwitch user={user} />
        </div>
      )}
    </div>
  )
}
