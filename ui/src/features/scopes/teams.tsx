import { Plus, UsersRound } from 'lucide-react'
import { useMemo } from 'react'
import { OrganizationChoicesDocument, TeamsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
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
import { count } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { Used } from '@/features/budgets'
import { Admins, useAdmins } from './admins'
import { CreateScope } from './create'
import { useOpenMember } from './open-member'
import { ScopePeek } from './peek'

const ALL = 'all'

export function TeamsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ q: string; peek: string; organization: string; new: string }>()
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(TeamsDocument, { ...ask(plane), organizationId: url.organization }, (d) => pick(d)?.teams)
  const choices = useRead(OrganizationChoicesDocument, ask(plane))
  const organizations = useMemo(() => (pick(choices.data)?.organizations.edges ?? []).map((e) => e.node), [choices.data])
  const root = pick(data)
  const admins = useAdmins(root?.id)
  const openMember = useOpenMember(plane)
  const creating = url.new === 'team'
  const setCreating = (on: boolean) => setUrl({ new: on ? 'team' : undefined })
  const needle = (url.q ?? '').toLowerCase()
  const found = rows.filter((team) => `${team.name} ${team.location} ${team.description}`.toLowerCase().includes(needle))
  const mayCreate = organizations.some((o) => may(o, 'team.create'))
  useKeys({ c: () => mayCreate && setCreating(true) })
  const create = mayCreate && (
    <Button variant="primary" size="sm" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> {t('New team')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Teams')} note={t('Where people of {{plane}} have their seats.', { plane: nameOf(plane) })}>
        {organizations.length > 1 && (
          <Select
            aria-label={t('Organization')}
            value={url.organization ?? ALL}
            onChange={(id) => setUrl({ organization: id === ALL ? undefined : id })}
            options={[{ value: ALL, label: t('All organizations') }, ...organizations.map((o) => ({ value: o.id, label: o.name }))]}
            className="h-8 w-44 max-sm:w-full"
          />
        )}
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter by name')} className="sm:w-60" />
        {create}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-14" />}
        {root && found.length === 0 && (
          <Empty icon={<UsersRound aria-hidden />} title={needle || url.organization ? t('No team matches') : t('No team within your reach')} action={needle ? undefined : create}>
            {!needle && t('A team has seats, keys and models of its own, and pays from its own budget if it has one.')}
          </Empty>
        )}
        {found.length > 0 && (
          <Table label={t('Teams')}>
            <Head>
              <Th>{t('Team')}</Th>
              <Th wide>{t('Organization')}</Th>
              <Th wide>{t('Admins')}</Th>
              <Th wide className="text-end">
                {t('Users')}
              </Th>
              <Th className="w-64 max-sm:w-36">{plane === 'CONSOLE' ? t('Used of limit') : t('Credits used of limit')}</Th>
            </Head>
            <tbody>
              {found.map((team) => (
                <tr key={team.id} className={rowClass}>
                  <Td>
                    <span className="flex flex-wrap items-center gap-x-2">
                      <button type="button" data-row-link onClick={() => setUrl({ peek: team.id })} className="rounded-sm text-start font-medium hover:underline">
                        {team.name}
                      </button>
                      {team.isDefault && <Badge>{t('Default')}</Badge>}
                      {team.archivedAt && <Badge tone="warn">{t('Archived')}</Badge>}
                    </span>
                    <span className="block max-w-72 truncate text-xs text-muted max-sm:max-w-40">
                      <span className="md:hidden">{team.location}</span>
                      <span className="max-md:hidden">{team.description}</span>
                    </span>
                  </Td>
                  <Td wide>{team.location}</Td>
                  <Td wide>
                    <Admins names={admins.get(team.id)} />
                  </Td>
                  <Td wide className="text-end">
                    {count(team.memberCount)}
                  </Td>
                  <Td>{team.budget ? <Used state={team.budget.state} name={team.name} /> : <span className="text-muted">{t('No limit of its own')}</span>}</Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} teams', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
      {creating && mayCreate && (
        <CreateScope
          kind="TEAM"
          plane={plane}
          organizationId={url.organization}
          onClose={() => setCreating(false)}
          onMade={(peek) => setUrl({ peek, new: undefined })}
        />
      )}
      {url.peek && <ScopePeek key={url.peek} id={url.peek} plane={plane} onClose={() => setUrl({ peek: undefined })} onOpenMember={openMember} />}
    </>
  )
}
