import { Link, useNavigate } from '@tanstack/react-router'
import { Plug, Plus } from 'lucide-react'
import { type ReactNode, useEffect } from 'react'
import { ConnectionsDocument, type ConnectionRowFragment } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonBlock, SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { ago, count, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import type { Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhyNot } from '@/features/access'
import { placeName, useWithin } from '@/features/roles'
import { CreateConnection } from './create'
import { healthOf, heldOf, needsSignIn, type Show, shows } from './health'
import { ConnectionIcon, credentialName, HealthBadge, kindNames } from './words'

/** Where Copilot's tools come from: how each does, what waits for a look, and who has to sign in. */
export function ConnectionsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ q: string; show: string; new: string }>()
  const viewer = useViewer()
  const navigate = useNavigate()
  const { allowed, node } = useWithin('connection.create', plane)
  const { data, rows, loading, fetching, fault, retry, more } = usePages(ConnectionsDocument, {}, (d) => d.copilot?.connections)
  // An account has at most 500: all of them, so that the sums are right.
  useEffect(() => {
    if (more && !fetching) more()
  }, [more, fetching])
  const show = url.show && url.show in shows ? (url.show as Show) : undefined
  const needle = (url.q ?? '').trim().toLowerCase()
  const shown = rows.filter((c) => (!show || shows[show](c)) && (!needle || c.name.toLowerCase().includes(needle) || c.description.toLowerCase().includes(needle))).toSorted((a, b) => a.name.localeCompare(b.name))
  const open = (id: string) => navigate({ to: '/a/$account/$plane/connections/$connection', params: { account: viewer.account.slug, plane: 'copilot', connection: id } })
  useKeys({ c: () => allowed && setUrl({ new: 'connection' }) })
  const create = allowed && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'connection' })}>
      <Plus aria-hidden /> {t('New connection')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Connections')} note={t('Servers and APIs that tools come from. A tool is called as it was approved, by those whom it is allowed to.')}>
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search by name')} />
        {allowed ? create : node ? <WhyNot plane={plane} node={node} action="connection.create" /> : <span aria-hidden className="h-8 w-36" />}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading ? <SkeletonBlock className="mb-4 h-24 max-sm:h-78" /> : data && rows.length > 0 && <Summary rows={rows} show={show} onShow={(next) => setUrl({ show: next })} />}
      <Card>
        {loading ? (
          <SkeletonRows height="h-15" rows={3} />
        ) : (
          data &&
          (shown.length === 0 ? (
            <Empty icon={<Plug aria-hidden />} title={rows.length > 0 ? t('No connection matches') : t('No connections yet')} action={rows.length > 0 ? undefined : create}>
              {rows.length === 0 && t('Connect an MCP server by its address, or an API by its OpenAPI document. Cockpit reads what it offers; you approve what may be called.')}
            </Empty>
          ) : (
            <ConnectionTable connections={shown} />
          ))
        )}
      </Card>
      {data && !viewer.support && (
        <p className="mt-3 text-sm">
          <Link to="/me/connections" className="font-medium text-accent-text hover:underline">
            {t('What I use myself, and my own sign-ins')}
          </Link>
        </p>
      )}
      {url.new === 'connection' && allowed && <CreateConnection onClose={() => setUrl({ new: undefined })} onOpen={(id) => void open(id)} />}
    </>
  )
}

const names = (of: readonly ConnectionRowFragment[]) => (of.length > 2 ? t('{{first}} and {{n}} more', { first: of[0]!.name, n: of.length - 1 }) : of.map((c) => c.name).join(', '))

function Summary({ rows, show, onShow }: { rows: readonly ConnectionRowFragment[]; show?: Show; onShow: (show?: Show) => void }) {
  const active = rows.filter((c) => c.status === 'ACTIVE')
  const ill = active.filter((c) => ['ill', 'partly'].includes(healthOf(c)))
  const held = active.filter(shows.held)
  const [pending, changed] = [held.reduce((n, c) => n + c.toolCounts.pending, 0), held.reduce((n, c) => n + c.toolCounts.changed, 0)]
  const out = active.filter(needsSignIn)
  const tile = (of: Show, label: string, value: ReactNode, note: string, alarm: boolean) => (
    <button
      type="button"
      aria-pressed={show === of}
      onClick={() => onShow(show === of ? undefined : of)}
      className={cx('min-w-0 rounded-lg border bg-surface px-4 py-3.5 text-start shadow-xs transition-colors hover:bg-hover/60', show === of ? 'border-accent' : 'border-line')}
    >
      <span className="block text-xs text-muted">{label}</span>
      <span className={cx('num mt-0.5 block truncate text-2xl font-semibold tracking-tight', alarm && 'text-warn')}>{value}</span>
      <span className="mt-0.5 block min-h-4 truncate text-xs text-muted">{note}</span>
    </button>
  )
  return (
    <div role="group" aria-label={t('Show only')} className="mb-4 grid gap-3 sm:grid-cols-3">
      {tile('well', t('Healthy'), t('{{n}} of {{all}}', { n: count(active.filter(shows.well).length), all: count(active.length) }), ill.length > 0 ? t('Look at {{names}}', { names: names(ill) }) : t('All that were looked at answer'), ill.length > 0)}
      {tile('held', t('Tools that wait for a look'), count(pending + changed), pending + changed > 0 ? t('{{changed}} changed, {{pending}} new: held back', { changed: count(changed), pending: count(pending) }) : t('Nothing is held back'), pending + changed > 0)}
      {tile('out', t('Need a sign-in'), count(out.length), out.length > 0 ? names(out) : t('You, or all, are signed in'), out.length > 0)}
    </div>
  )
}

function ConnectionTable({ connections }: { connections: readonly ConnectionRowFragment[] }) {
  const { slug, name: account } = useViewer().account
  return (
    <Table label={t('Connections')}>
      <Head>
        <Th>{t('Name')}</Th>
        <Th wide>{t('Kind')}</Th>
        <Th wide>{t('Belongs to')}</Th>
        <Th wide>{t('Credential')}</Th>
        <Th wide>{t('Tools')}</Th>
        <Th>{t('Health')}</Th>
      </Head>
      <tbody>
        {connections.map((c) => (
          <tr key={c.id} className={rowClass}>
            <Td>
              <Link data-row-link to="/a/$account/$plane/connections/$connection" params={{ account: slug, plane: 'copilot', connection: c.id }} className="flex min-w-0 items-center gap-3 rounded-sm">
                <ConnectionIcon of={c} />
                <span className="min-w-0">
                  <span className="block font-medium break-all hover:underline">{c.name}</span>
                  <span className="block max-w-72 truncate text-xs text-muted max-sm:max-w-44">{c.description}</span>
                  {heldOf(c) > 0 && <span className="block text-xs text-warn md:hidden">{t('{{count}} tools wait', { count: heldOf(c) })}</span>}
                </span>
              </Link>
            </Td>
            <Td wide className="whitespace-nowrap text-muted">
              {kindNames[c.kind]}
            </Td>
            <Td wide>
              <span className="block max-w-44 truncate">{placeName(c.scope, c.location, account)}</span>
            </Td>
            <Td wide className="whitespace-nowrap">
              {credentialName(c)}
              {needsSignIn(c) && c.credential === 'PERSONAL' && <span className="block text-xs text-warn">{t('you have none yet')}</span>}
            </Td>
            <Td wide>
              <Counts of={c} />
            </Td>
            <Td>
              <HealthBadge connection={c} />
              {c.health.checkedAt && (
                <span className="block text-xs whitespace-nowrap text-muted max-sm:hidden" title={utc(c.health.checkedAt)}>
                  {ago(c.health.checkedAt)}
                </span>
              )}
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}

function Counts({ of: { toolCounts: n } }: { of: ConnectionRowFragment }) {
  return (
    <span className="flex items-center gap-1.5">
      <span className="num whitespace-nowrap">{t('{{count}} approved', { count: n.approved })}</span>
      {n.changed > 0 && <Badge tone="warn">{t('{{count}} changed', { count: n.changed })}</Badge>}
      {n.pending > 0 && <Badge tone="info">{t('{{count}} new', { count: n.pending })}</Badge>}
      {n.missing > 0 && <Badge>{t('{{count}} gone', { count: n.missing })}</Badge>}
    </span>
  )
}
