import { Building, Plus } from 'lucide-react'
import { OrganizationsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { count } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhyNot } from '@/features/access'
import { Used } from '@/features/budgets'
import { Admins, useAdmins } from './admins'
import { CreateScope } from './create'
import { ScopePeek } from './peek'
import { useOpenMember } from './open-member'

export function OrganizationsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ q: string; peek: string; new: string }>()
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(OrganizationsDocument, ask(plane), (d) => pick(d)?.organizations)
  const root = pick(data)
  const admins = useAdmins(root?.id)
  const openMember = useOpenMember(plane)
  const creating = url.new === 'organization'
  const setCreating = (on: boolean) => setUrl({ new: on ? 'organization' : undefined })
  const needle = (url.q ?? '').toLowerCase()
  const found = rows.filter((o) => `${o.name} ${o.description}`.toLowerCase().includes(needle))
  const mayCreate = may(root, 'organization.create')
  useKeys({ c: () => mayCreate && setCreating(true) })
  const create = mayCreate && (
    <Button variant="primary" size="sm" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> {t('New organization')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Organizations')} note={t('Parts of {{plane}}, with teams, admins and a budget of their own.', { plane: nameOf(plane) })}>
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter by name')} />
        <WhyNot plane={plane} node={root} action="organization.create" />
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
          <Empty icon={<Building aria-hidden />} title={needle ? t('No organization matches') : t('No organization within your reach')} action={needle ? undefined : create}>
            {!needle && t('Organizations split {{plane}} up where parts have admins, budgets or models of their own.', { plane: nameOf(plane) })}
          </Empty>
        )}
        {found.length > 0 && (
          <Table label={t('Organizations')}>
            <Head>
              <Th>{t('Organization')}</Th>
              <Th wide>{t('Admins')}</Th>
              <Th wide className="text-end">
                {t('Teams')}
              </Th>
              <Th wide className="text-end">
                {t('Users')}
              </Th>
              <Th className="w-64 max-sm:w-36">{plane === 'CONSOLE' ? t('Used of limit') : t('Credits used of limit')}</Th>
            </Head>
            <tbody>
              {found.map((o) => (
                <tr key={o.id} className={rowClass}>
                  <Td>
                    <span className="flex flex-wrap items-center gap-x-2">
                      <button type="button" data-row-link onClick={() => setUrl({ peek: o.id })} className="rounded-sm text-start font-medium hover:underline">
                        {o.name}
                      </button>
                      {o.isDefault && <Badge>{t('Default')}</Badge>}
                      {o.archivedAt && <Badge tone="warn">{t('Archived')}</Badge>}
                    </span>
                    {o.description && <span className="block max-w-80 truncate text-xs text-muted max-sm:max-w-40">{o.description}</span>}
                  </Td>
                  <Td wide>
                    <Admins names={admins.get(o.id)} />
                  </Td>
                  <Td wide className="text-end">
                    {count(o.teamCount)}
                  </Td>
                  <Td wide className="text-end">
                    {count(o.memberCount)}
                  </Td>
                  <Td>{o.budget ? <Used state={o.budget.state} name={o.name} /> : <span className="text-muted">{t('No limit of its own')}</span>}</Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} organizations', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
      {creating && mayCreate && (
        <CreateScope
          kind="ORGANIZATION"
          plane={plane}
          planeId={root?.id}
          onClose={() => setCreating(false)}
          onMade={(peek) => setUrl({ peek, new: undefined })}
        />
      )}
      {url.peek && <ScopePeek key={url.peek} id={url.peek} plane={plane} onClose={() => setUrl({ peek: undefined })} onOpenMember={openMember} />}
    </>
  )
}
