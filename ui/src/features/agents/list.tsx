import { Link, useNavigate } from '@tanstack/react-router'
import { Bot, Plus } from 'lucide-react'
import { type AgentAvailability, type AgentRowFragment, AgentsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { useDebounced } from '@/lib/debounce'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import type { Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhyNot } from '@/features/access'
import { useWithin } from '@/features/roles'
import { CreateAgent } from './create'
import { AgentIcon, StateBadge } from './words'

const states: { value: AgentAvailability | ''; label: string }[] = [
  { value: '', label: t('Every state') },
  { value: 'ACTIVE', label: t('Active') },
  { value: 'PAUSED', label: t('Paused') },
  { value: 'RETIRED', label: t('Retired') },
]

/** What was built in Copilot: who answers for it, what is live, who has it, and what it takes. */
export function AgentsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ q: string; group: string; state: string; new: string }>()
  const viewer = useViewer()
  const navigate = useNavigate()
  const { allowed, node } = useWithin('agent.create', plane)
  const search = useDebounced(url.q ?? '')
  const state = states.find((s) => s.value && s.value === url.state)?.value || undefined
  const { data, rows, loading, fetching, fault, retry, more } = usePages(AgentsDocument, { search: search || undefined, group: url.group, availability: state }, (d) => d.copilot?.agents)
  const groups = data?.copilot?.agentGroups ?? []
  const filtered = Boolean(url.q || url.group || url.state)
  const open = (id: string) => navigate({ to: '/a/$account/$plane/agents/$agent', params: { account: viewer.account.slug, plane: 'copilot', agent: id } })
  useKeys({ c: () => allowed && setUrl({ new: 'agent' }) })
  const reason = node?.viewerCan.find((p) => p.action === 'agent.create' && !p.allowed)?.reason
  const create = allowed && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'agent' })}>
      <Plus aria-hidden /> {t('New agent')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Agents')} note={t('Instructions on a model, with tools and bounds. People use what is published and allowed to them.')}>
        <Select aria-label={t('Group')} value={url.group ?? ''} onChange={(group) => setUrl({ group: group || undefined })} options={[{ value: '', label: t('Every group') }, ...groups.map((g) => ({ value: g, label: g }))]} className="w-40 max-sm:w-full" />
        <Select aria-label={t('State')} value={url.state ?? ''} onChange={(s) => setUrl({ state: s || undefined })} options={states} className="w-36 max-sm:w-full" />
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search by name')} />
        {allowed ? (
          create
        ) : (
          <>
            {reason && (
              <Button size="sm" disabled aria-describedby="no-new-agent">
                <Plus aria-hidden /> {t('New agent')}
              </Button>
            )}
            <WhyNot plane={plane} node={node} action="agent.create" />
          </>
        )}
      </PageHead>
      {!allowed && reason && (
        <p id="no-new-agent" className="mb-3 text-sm text-muted">
          {reason}
        </p>
      )}
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading ? (
          <SkeletonRows height="h-15" />
        ) : (
          data &&
          (rows.length === 0 ? (
            <Empty icon={<Bot aria-hidden />} title={filtered ? t('No agent matches') : t('No agents yet')} action={filtered ? undefined : create}>
              {!filtered && t('An agent answers one kind of question well: say what it is for, choose its model, try it, and publish it to those who need it.')}
            </Empty>
          ) : (
            <AgentTable agents={rows} slug={viewer.account.slug} />
          ))
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
      {url.new === 'agent' && allowed && <CreateAgent onClose={() => setUrl({ new: undefined })} onMade={(id) => void open(id)} />}
    </>
  )
}

function AgentTable({ agents, slug }: { agents: readonly AgentRowFragment[]; slug: string }) {
  return (
    <Table label={t('Agents')}>
      <Head>
        <Th>{t('Name')}</Th>
        <Th wide>{t('Owner')}</Th>
        <Th wide>{t('Live')}</Th>
        <Th wide>{t('Model')}</Th>
        <Th wide className="text-end">
          {t('Tools')}
        </Th>
        <Th wide className="text-end">
          {t('Assigned')}
        </Th>
        <Th wide className="text-end">
          {t('7-day credits')}
        </Th>
        <Th>{t('State')}</Th>
      </Head>
      <tbody>
        {agents.map((a) => (
          <tr key={a.id} className={rowClass}>
            <Td>
              <Link data-row-link to="/a/$account/$plane/agents/$agent" params={{ account: slug, plane: 'copilot', agent: a.id }} className="flex min-w-0 items-center gap-3 rounded-sm">
                <AgentIcon icon={a.icon} />
                <span className="min-w-0">
                  <span className="block font-medium hover:underline">{a.name}</span>
                  <span className="block max-w-72 truncate text-xs text-muted">{a.purpose || a.group}</span>
                </span>
              </Link>
            </Td>
            <Td wide>
              <span className="block max-w-44 truncate">{a.ownerUserName ?? <span className="text-warn">{t('Nobody')}</span>}</span>
              <span className="block max-w-44 truncate text-xs text-muted">{a.location || t('All of Copilot')}</span>
            </Td>
            <Td wide className="whitespace-nowrap">
              {a.publishedVersion ? t('Version {{n}}', { n: a.publishedVersion }) : <span className="text-muted">{t('None')}</span>}
              {a.publishedVersion && a.draftChanged && <span className="block text-xs text-muted">{t('draft differs')}</span>}
            </Td>
            <Td wide className="text-muted">
              <span className="block max-w-40 truncate">{a.modelName ?? '–'}</span>
            </Td>
            <Td wide className="num text-end">{a.toolCount}</Td>
            <Td wide className="num text-end">{a.assignedCount}</Td>
            <Td wide className="num text-end whitespace-nowrap">{money(a.recentCredits, 'CREDITS')}</Td>
            <Td>
              <StateBadge agent={a} />
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
