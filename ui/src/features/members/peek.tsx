import { Link } from '@tanstack/react-router'
import { ArrowRightLeft, Star, UserMinus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { MemberDefaultSetDocument, MemberPeekDocument, type MemberPeekQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, readsAccount, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button, buttonClass } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, slugOf, unitOf } from '@/lib/plane'
import { AccessResources, WhyNot } from '@/features/access'
import { Limit, Outlook, Used } from '@/features/budgets'
import { SeatLink, UserRoles } from '@/features/people'
import { usePlaneOf } from '@/features/roles'
import { StatusBadge, StatusSwitch, UserSessions } from '@/features/users'
import { MoveSeat, RemoveSeat } from './actions'

type Member = Extract<NonNullable<MemberPeekQuery['node']>, { user: unknown }>

type Part = 'overview' | 'limits' | 'models' | 'roles' | 'sessions'

type Props = { id: string; plane: Plane; onClose: () => void }

/** A seat and the person on it. */
export function MemberPeek({ id, plane, onClose }: Props) {
  const viewer = useViewer()
  const { data, loading, fault, retry } = useRead(MemberPeekDocument, { id })
  const [part, setPart] = useState<Part>('overview')
  const member = data?.node && 'user' in data.node ? data.node : undefined
  const tabs: { value: Part; label: string; content: ReactNode }[] = member
    ? [
        { value: 'overview', label: t('Overview'), content: <Overview member={member} plane={plane} onClose={onClose} /> },
        { value: 'limits', label: t('Limit'), content: <Limits member={member} plane={plane} /> },
        { value: 'models', label: plane === 'COPILOT' ? t('Access') : t('Models'), content: <AccessResources scopeId={member.id} plane={plane} userId={member.user.id} /> },
        { value: 'roles', label: t('Roles'), content: <UserRoles user={member.user} roles={member.user.roles ?? []} /> },
      ]
    : []
  if (member && readsAccount(viewer)) tabs.push({ value: 'sessions', label: t('Sessions'), content: <UserSessions userId={member.user.id} revocable={may(member.user, 'session.revoke')} /> })
  return (
    <Sheet open onClose={onClose} className="max-w-lg" title={member?.name ?? t('User')} description={member && [member.user.email, member.location].join(' · ')}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !member && !fault && <p className="py-8 text-center text-muted">{t("This seat doesn't exist (any more), or you may not see it.")}</p>}
      {member && <Tabs<Part> label={t('Parts of {{name}}', { name: member.name })} value={part} onChange={setPart} tabs={tabs} />}
    </Sheet>
  )
}

function Overview({ member: m, plane, onClose }: { member: Member; plane: Plane; onClose: () => void }) {
  const viewer = useViewer()
  const [doing, setDoing] = useState<'move' | 'remove'>()
  const setDefault = useMutate(MemberDefaultSetDocument)
  const makeDefault = async () => {
    const payload = await setDefault.run({ input: { memberId: m.id } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? t('Calls of {{name}} that name no seat are paid by {{team}} now', { name: m.name, team: m.location }))
  }
  const planeOf = usePlaneOf()
  const seats = m.user.seats ?? []
  const mayMove = may(m, 'member.delete')
  const mayDefault = !m.isDefault && may(m, 'member.default')
  const maySwitch = may(m.user, 'user.update') && m.user.id !== viewer.user?.id
  return (
    <div className="flex flex-col gap-5">
      <Facts
        facts={[
          [t('Status'), <StatusBadge key="status" status={m.user.status} />],
          [t('Last sign-in'), m.user.lastSignInAt ? <time key="last" title={utc(m.user.lastSignInAt)}>{ago(m.user.lastSignInAt)}</time> : t('Never')],
          [t('Seat since'), dateTime(m.createdAt)],
          [
            t('Seats'),
            <ul key="seats" className="flex flex-col gap-1">
              {seats.map((s) => (
                <li key={s.id} className="flex flex-wrap items-center gap-x-2">
                  {s.id === m.id ? <span className="font-medium">{s.location}</span> : <SeatLink seat={s} plane={planeOf(s)} here={plane} />}
                  {s.isDefault && <Badge>{t('Default')}</Badge>}
                </li>
              ))}
            </ul>,
          ],
          m.isDefault ? [t('Pays'), t('For calls in {{plane}} that name no other seat', { plane: nameOf(plane) })] : null,
          [t('Id'), <Id key="id" id={m.id} />],
        ]}
      />
      {setDefault.fault && <ErrorBar fault={setDefault.fault} />}
      {(mayMove || mayDefault || maySwitch) && (
        <div className="flex flex-wrap gap-2 border-t border-line pt-4">
          {mayDefault && (
            <Button size="sm" busy={setDefault.busy} onClick={makeDefault}>
              <Star aria-hidden /> {t('Make it the default')}
            </Button>
          )}
          {mayMove && (
            <>
              <Button size="sm" onClick={() => setDoing('move')}>
                <ArrowRightLeft aria-hidden /> {t('Move')}
              </Button>
              <Button size="sm" className="text-bad" onClick={() => setDoing('remove')}>
                <UserMinus aria-hidden /> {t('Remove seat')}
              </Button>
            </>
          )}
          {maySwitch && <StatusSwitch user={m.user} />}
        </div>
      )}
      {doing === 'move' && <MoveSeat seat={m} plane={plane} onClose={() => setDoing(undefined)} />}
      {doing === 'remove' && <RemoveSeat seat={m} plane={plane} onClose={() => setDoing(undefined)} onRemoved={onClose} />}
    </div>
  )
}

function Limits({ member: m, plane }: { member: Member; plane: Plane }) {
  const { account } = useViewer()
  const [editing, setEditing] = useState(false)
  const limit = <Limit scope={m} budget={m.budget} unit={unitOf(plane)} editing={editing} onEdit={setEditing} allowed={may(m, 'budget.set')} />
  return (
    <div className="flex flex-col gap-3">
      {m.budget ? (
        <>
          <Used state={m.budget.state} name={m.name}>
            {limit}
          </Used>
          <p>
            <Outlook state={m.budget.state} />
          </p>
        </>
      ) : (
        <p className="text-muted">
          {t('Only the budgets above limit it.')} {limit}
        </p>
      )}
      <p>
        <Link to="/a/$account/$plane/budgets" params={{ account: account.slug, plane: slugOf(plane) }} search={{ peek: m.id }} className={buttonClass({ size: 'sm' })}>
          {t('What it is spent on')}
        </Link>{' '}
        <WhyNot plane={plane} node={m} action="budget.set" />
      </p>
    </div>
  )
}
