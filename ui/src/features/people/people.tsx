import { MailPlus, Plus, Users } from 'lucide-react'
import { useState } from 'react'
import { type UserStatus, UsersDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { InvitationList, invitationState, InvitationStates, InvitePeople } from '@/features/invitations'
import { BindRole, placeName, roleName, usePlaneOf, useWithin } from '@/features/roles'
import { StatusBadge } from '@/features/users'
import { UserPeek } from './peek'
import { RoleTable } from './role-table'

type Tab = 'people' | 'roles' | 'invitations'

const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'people', label: t('People') },
  { value: 'roles', label: t('Admins & auditors') },
  { value: 'invitations', label: t('Invitations') },
]

type Url = { q: string; status: string; tab: string; state: string; peek: string }

/** Everybody of the account, their roles over both planes, and who is invited. */
export function PeoplePage() {
  const viewer = useViewer()
  const [url, setUrl] = useUrl<Url>()
  const tab = tabs.find((o) => o.value === url.tab)?.value ?? 'people'
  const [inviting, setInviting] = useState(false)
  const [binding, setBinding] = useState(false)
  const mayBind = useWithin('role.bind')
  const invite = useWithin('invitation.create').allowed && (
    <Button size="sm" variant={tab === 'roles' ? 'secondary' : 'primary'} onClick={() => setInviting(true)}>
      <MailPlus aria-hidden /> {t('Invite people')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Admins & people')} note={t('Everybody of {{account}}, in both planes.', { account: viewer.account.name })}>
        {tab === 'roles' && mayBind.allowed && (
          <Button size="sm" variant="primary" onClick={() => setBinding(true)}>
            <Plus aria-hidden /> {t('Give a role')}
          </Button>
        )}
        {invite}
      </PageHead>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Segments<Tab> label={t('Show')} value={tab} onChange={(next) => setUrl({ tab: next === 'people' ? undefined : next, q: undefined })} options={tabs} />
        <span className="grow" />
        {tab === 'people' && (
          <Select
            aria-label={t('Status')}
            value={url.status ?? 'ALL'}
            onChange={(status) => setUrl({ status: status === 'ALL' ? undefined : status })}
            options={[
              { value: 'ALL', label: t('Every status') },
              { value: 'ACTIVE', label: t('Active') },
              { value: 'DEACTIVATED', label: t('Deactivated') },
            ]}
            className="h-8 w-36 max-sm:w-full"
          />
        )}
        {tab === 'invitations' && <InvitationStates value={url.state} onChange={(state) => setUrl({ state })} />}
        <Filter key={tab} value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search names and e-mails')} />
      </div>
      {tab === 'people' && <People search={url.q ?? ''} status={url.status === 'ACTIVE' || url.status === 'DEACTIVATED' ? url.status : undefined} onPeek={(peek) => setUrl({ peek })} />}
      {tab === 'roles' && <RoleTable scopeId={viewer.account.id} needle={url.q ?? ''} onPeek={(peek) => setUrl({ peek })} />}
      {tab === 'invitations' && <InvitationList scopeId={viewer.account.id} state={invitationState(url.state)} needle={url.q} invite={invite} bothPlanes />}
      {url.peek && <UserPeek key={url.peek} id={url.peek} onClose={() => setUrl({ peek: undefined })} />}
      {inviting && <InvitePeople onClose={() => setInviting(false)} />}
      {binding && <BindRole onClose={() => setBinding(false)} />}
    </>
  )
}

/** Where somebody sits: teams of both planes may have the same name. */
function SeatPlace({ location, plane }: { location: string; plane?: Plane }) {
  return (
    <span className="block max-w-64 truncate text-xs">
      {plane && `${nameOf(plane)}: `}
      {location}
    </span>
  )
}

function People({ search, status, onPeek }: { search: string; status?: UserStatus; onPeek: (id: string) => void }) {
  const { account, user: self } = useViewer()
  const planeOf = usePlaneOf()
  const settled = useDebounced(search)
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(UsersDocument, { search: settled || undefined, status }, (d) => d.account?.users)
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={8} height="h-14" />}
        {data?.account?.users && rows.length === 0 && <Empty icon={<Users aria-hidden />} title={settled || status ? t('Nobody matches') : t('Nobody is here yet')} />}
        {rows.length > 0 && (
          <Table label={t('People')}>
            <Head>
              <Th>{t('Person')}</Th>
              <Th wide>{t('Roles')}</Th>
              <Th wide>{t('Seats')}</Th>
              <Th wide>{t('Last sign-in')}</Th>
              <Th>{t('Status')}</Th>
            </Head>
            <tbody>
              {rows.map((u) => (
                <tr key={u.id} className={rowClass}>
                  <Td>
                    <div className="flex min-w-0 items-center gap-3">
                      <span className="max-sm:hidden">
                        <Avatar name={u.name} />
                      </span>
                      <div className="min-w-0">
                        <button type="button" data-row-link onClick={() => onPeek(u.id)} className="block rounded-sm text-start font-medium hover:underline">
                          {u.name} {u.id === self?.id && <span className="font-normal text-muted">{t('(you)')}</span>}
                        </button>
                        <span className="block max-w-64 truncate text-xs text-muted max-sm:max-w-44">{u.email}</span>
                      </div>
                    </div>
                  </Td>
                  <Td wide>
                    <span className="flex max-w-72 flex-wrap gap-1">
                      {(u.roles ?? []).slice(0, 3).map((r) => (
                        <Badge key={r.id} tone={r.role === 'ADMIN' ? 'accent' : 'plain'}>
                          {roleName[r.role]} · {placeName(r.scope, r.location, account.name, planeOf(r.scope))}
                        </Badge>
                      ))}
                      {(u.roles?.length ?? 0) > 3 && <Badge>{t('+{{n}}', { n: u.roles!.length - 3 })}</Badge>}
                      {!u.roles?.length && <span className="text-muted">{t('None')}</span>}
                    </span>
                  </Td>
                  <Td wide className="text-muted">
                    {(u.seats ?? []).length === 0 ? t('None') : (u.seats ?? []).map((s) => <SeatPlace key={s.id} location={s.location} plane={planeOf(s)} />)}
                  </Td>
                  <Td wide className="whitespace-nowrap text-muted">
                    {u.lastSignInAt ? <time title={utc(u.lastSignInAt)}>{ago(u.lastSignInAt)}</time> : t('Never')}
                  </Td>
                  <Td>
                    <StatusBadge status={u.status} />
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} people', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
    </>
  )
}
