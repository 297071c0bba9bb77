import { MailPlus, Users } from 'lucide-react'
import { useMemo } from 'react'
import { type MemberPartsFragment, MembersDocument, TeamChoicesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
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
import { useKeys } from '@/lib/keys'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhyNot } from '@/features/access'
import { Used } from '@/features/budgets'
import { InvitationList, invitationState, InvitationStates, InvitePeople } from '@/features/invitations'
import { roleName, useWithin } from '@/features/roles'
import { StatusBadge } from '@/features/users'
import { MemberPeek } from './peek'

type Tab = 'users' | 'invitations'

const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'users', label: t('Users') },
  { value: 'invitations', label: t('Invitations') },
]

const ALL = 'all'

type Url = { q: string; peek: string; team: string; tab: string; state: string; new: string }

export function MembersPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<Url>()
  const search = useDebounced(url.q ?? '')
  const tab: Tab = url.tab === 'invitations' ? 'invitations' : 'users'
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(MembersDocument, { ...ask(plane), search: search || undefined, teamId: url.team }, (d) => pick(d)?.members)
  const choices = useRead(TeamChoicesDocument, ask(plane))
  const teams = useMemo(() => (pick(choices.data)?.teams.edges ?? []).map((e) => e.node), [choices.data])
  const root = pick(data)
  const { allowed: mayInvite, node: place } = useWithin('invitation.create', plane)
  const setInviting = (on: boolean) => setUrl({ new: on ? 'invitation' : undefined })
  useKeys({ c: () => mayInvite && setInviting(true) })
  const invite = mayInvite && (
    <Button variant="primary" size="sm" onClick={() => setInviting(true)}>
      <MailPlus aria-hidden /> {t('Invite people')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Users')} note={t('People with a seat in {{plane}}, and what they have left.', { plane: nameOf(plane) })}>
        {!mayInvite && <WhyNot plane={plane} node={place} action="invitation.create" />}
        {invite}
      </PageHead>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        {mayInvite && <Segments<Tab> label={t('Show')} value={tab} onChange={(next) => setUrl({ tab: next === 'users' ? undefined : next })} options={tabs} />}
        <span className="grow max-sm:hidden" />
        {tab === 'users' && teams.length > 1 && (
          <Select
            aria-label={t('Team')}
            value={url.team ?? ALL}
            onChange={(id) => setUrl({ team: id === ALL ? undefined : id })}
            options={[{ value: ALL, label: t('All teams') }, ...teams.map((team) => ({ value: team.id, label: [team.location, team.name].filter(Boolean).join(' / ') }))]}
            className="h-8 w-52 max-sm:w-full"
          />
        )}
        {tab === 'invitations' && <InvitationStates value={url.state} onChange={(state) => setUrl({ state })} />}
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search names and e-mails')} />
      </div>
      {tab === 'invitations' ? (
        root && <InvitationList scopeId={root.id} state={invitationState(url.state)} needle={url.q} invite={invite} />
      ) : (
        <>
          {fault && (
            <div className="mb-4">
              <ErrorBar fault={fault} retry={retry} />
            </div>
          )}
          <Card>
            {loading && <SkeletonRows rows={8} height="h-14" />}
            {root && rows.length === 0 && (
              <Empty icon={<Users aria-hidden />} title={search || url.team ? t('Nobody matches') : t('Nobody has a seat here yet')} action={search || url.team ? undefined : invite}>
                {search ? t('The search looks into names and e-mail addresses of people within your reach.') : !url.team && t('Paste e-mail addresses, choose a team, and they get a link.')}
              </Empty>
            )}
            {rows.length > 0 && <Rows plane={plane} members={rows} onPeek={(peek) => setUrl({ peek })} />}
            {rows.length > 0 && (
              <TableFoot more={more} busy={fetching}>
                {t('{{count}} users', { count: total ?? rows.length })}
              </TableFoot>
            )}
          </Card>
        </>
      )}
      {url.peek && <MemberPeek key={url.peek} id={url.peek} plane={plane} onClose={() => setUrl({ peek: undefined })} />}
      {url.new === 'invitation' && mayInvite && <InvitePeople plane={plane} scopeId={url.team} onClose={() => setInviting(false)} />}
    </>
  )
}

function Rows({ plane, members, onPeek }: { plane: Plane; members: readonly MemberPartsFragment[]; onPeek: (id: string) => void }) {
  return (
    <Table label={t('Users')}>
      <Head>
        <Th>{t('User')}</Th>
        <Th wide>{t('Team')}</Th>
        <Th wide>{t('Roles')}</Th>
        <Th wide>{t('Status')}</Th>
        <Th className="w-64 max-sm:w-36">{plane === 'CONSOLE' ? t('Used of limit') : t('Credits used of limit')}</Th>
        <Th wide>{t('Last sign-in')}</Th>
      </Head>
      <tbody>
        {members.map((m) => (
          <tr key={m.id} className={rowClass}>
            <Td>
              <div className="flex min-w-0 items-center gap-3">
                <span className="max-sm:hidden">
                  <Avatar name={m.name} />
                </span>
                <div className="min-w-0">
                  <button type="button" data-row-link onClick={() => onPeek(m.id)} className="block rounded-sm text-start font-medium hover:underline">
                    {m.name}
                  </button>
                  <span className="block max-w-56 truncate text-xs text-muted max-sm:max-w-32">{m.user.email}</span>
                </div>
              </div>
            </Td>
            <Td wide>{m.location}</Td>
            <Td wide>
              <span className="flex flex-wrap gap-1">
                {m.roles
                  .filter((r) => r.role !== 'MEMBER')
                  .map((r) => (
                    <Badge key={r.role + r.label + r.kind} tone={r.role === 'ADMIN' ? 'accent' : 'plain'}>
                      {[roleName[r.role], r.label].filter(Boolean).join(' · ')}
                    </Badge>
                  ))}
                {m.roles.every((r) => r.role === 'MEMBER') && <span className="text-muted">{t('User')}</span>}
              </span>
            </Td>
            <Td wide>
              <StatusBadge status={m.user.status} />
            </Td>
            <Td>{m.budget ? <Used state={m.budget.state} name={m.name} /> : <span className="text-muted">{t("The team's")}</span>}</Td>
            <Td wide className="whitespace-nowrap text-muted">
              {m.user.lastSignInAt ? <time title={utc(m.user.lastSignInAt)}>{ago(m.user.lastSignInAt)}</time> : t('Never')}
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
