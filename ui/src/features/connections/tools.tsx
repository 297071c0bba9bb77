import { PackageOpen } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type ConnectionPartsFragment, ConnectionToolsDocument, type ToolRowFragment, type ToolState } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Dialog } from '@/kit/dialog'
import { Filter } from '@/kit/filter'
import { Notice } from '@/kit/notice'
import { SkeletonBlock, SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { exact } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { heldOf } from './health'
import { Offered } from './offered'
import { ToolPanel } from './tool'
import { ToolBadge } from './words'

type Filtered = 'all' | ToolState | 'off'

/** Those that wait for a look: changed ones first, for they are missed already. */
export const waiting = (rows: readonly ToolRowFragment[]) => [...rows.filter((r) => r.state === 'CHANGED'), ...rows.filter((r) => r.state === 'PENDING' && r.enabled)]

/** What a connection offers, and what of it can be called. */
export function Tools({ connection }: { connection: ConnectionPartsFragment }) {
  const [url, setUrl] = useUrl<{ state: string; q: string; tool: string }>()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(ConnectionToolsDocument, { id: connection.id }, (d) => (d.node && 'tools' in d.node ? d.node.tools : undefined))
  // One has at most 500: all, so that search and review miss none.
  useEffect(() => {
    if (more && !fetching) more()
  }, [more, fetching])
  const [reviewing, setReviewing] = useState(false)
  const [many, setMany] = useState(false)
  const of = (s: Filtered) => rows.filter((r) => s === 'all' || (s === 'off' ? !r.enabled && r.state !== 'MISSING' : r.state === s && (s !== 'PENDING' || r.enabled)))
  const segments: { value: Filtered; label: string }[] = [
    { value: 'all', label: t('All') },
    { value: 'CHANGED', label: t('Changed') },
    { value: 'PENDING', label: t('New') },
    { value: 'APPROVED', label: t('Approved') },
    { value: 'MISSING', label: t('Gone') },
    { value: 'off', label: t('Off') },
  ]
  const state = segments.find((s) => s.value === url.state)?.value ?? 'all'
  const needle = (url.q ?? '').trim().toLowerCase()
  const shown = of(state).filter((r) => !needle || r.name.toLowerCase().includes(needle) || r.title.toLowerCase().includes(needle) || r.description.toLowerCase().includes(needle))
  const held = waiting(rows)
  const pending = held.filter((r) => r.state === 'PENDING')
  const approves = may(connection, 'tool.approve')
  const { approved, changed, missing } = connection.toolCounts
  const expected = connection.toolCounts.pending + approved + changed + missing
  const next = () => {
    const left = held.filter((r) => r.id !== url.tool)
    setUrl({ tool: left[0]?.id })
    if (left.length === 0) setReviewing(false)
  }
  return (
    <div className="flex flex-col gap-4">
      {loading && heldOf(connection) > 0 && <SkeletonBlock className="h-25 max-sm:h-30" />}
      {held.length > 0 && (
        <Notice tone="warn" title={heldWords(held)}>
          <p>{t('Held back from everybody until somebody in charge has looked.')}</p>
          {approves && (
            <div className="mt-2 flex flex-wrap gap-2">
              <Button
                size="sm"
                variant="primary"
                onClick={() => {
                  setReviewing(true)
                  setUrl({ tool: held[0]!.id })
                }}
              >
                {t('Review one by one')}
              </Button>
              {pending.length > 1 && (
                <Button size="sm" onClick={() => setMany(true)}>
                  {t('Approve new ones together')}
                </Button>
              )}
            </div>
          )}
        </Notice>
      )}
      <Card>
        <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-3">
          <Segments<Filtered> label={t('Show')} value={state} onChange={(s) => setUrl({ state: s === 'all' ? undefined : s })} options={segments.filter((s) => s.value === 'all' || s.value === state || of(s.value).length > 0).map((s) => ({ value: s.value, label: s.value === 'all' ? s.label : `${s.label} ${of(s.value).length}` }))} />
          <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search tools')} className="sm:w-56" />
        </div>
        {fault && (
          <div className="p-3">
            <ErrorBar fault={fault} retry={retry} />
          </div>
        )}
        {loading && (
          <>
            <div className="h-9" />
            <SkeletonRows rows={Math.min(Math.max(expected, 2), 12)} height="h-14.25 max-sm:h-18.25" />
          </>
        )}
        {data && shown.length === 0 && !fault && (
          <Empty icon={<PackageOpen aria-hidden />} title={rows.length === 0 ? t('No tools yet') : t('No tool matches')}>
            {rows.length === 0 && (connection.health.checkedAt ? t('It offered none when it was looked at.') : t('Once it is signed in, look at what it offers.'))}
          </Empty>
        )}
        {shown.length > 0 && (
          <Table label={t('Tools')}>
            <Head>
              <Th>{t('Tool')}</Th>
              <Th wide className="text-end">
                {t('Per call')}
              </Th>
              <Th>{t('State')}</Th>
            </Head>
            <tbody>
              {shown.map((r) => (
                <tr key={r.id} className={rowClass}>
                  <Td>
                    <button type="button" data-row-link onClick={() => setUrl({ tool: r.id })} className="block w-full min-w-0 rounded-sm text-start">
                      <span className="block font-medium break-words hover:underline">{r.title}</span>
                      <span className="line-clamp-2 text-xs break-words text-muted">{r.description || r.callName}</span>
                    </button>
                  </Td>
                  <Td wide className="num text-end whitespace-nowrap">
                    {Number(r.price) === 0 ? <span className="text-muted">{t('Free')}</span> : exact(r.price, 'USD')}
                  </Td>
                  <Td>
                    <ToolBadge tool={r} />
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </Card>
      {url.tool && (
        <ToolPanel
          id={url.tool}
          onClose={() => {
            setReviewing(false)
            setUrl({ tool: undefined })
          }}
          onNext={reviewing ? next : undefined}
        />
      )}
      {many && (
        <Dialog open onClose={() => setMany(false)} title={t('New tools of {{name}}', { name: connection.name })} description={t('What is chosen is approved as it is shown here. What changed since it was approved is looked at one by one.')} className="max-w-2xl">
          <div className="flex flex-col gap-4">
            <Offered connection={connection} approves onDone={() => setMany(false)} />
          </div>
        </Dialog>
      )}
    </div>
  )
}

function heldWords(held: readonly ToolRowFragment[]): string {
  const changed = held.filter((r) => r.state === 'CHANGED').length
  const fresh = held.length - changed
  if (!fresh) return t('{{count}} tools have changed since they were approved', { count: changed })
  if (!changed) return t('{{count}} new tools wait for approval', { count: fresh })
  return t('{{changed}} changed and {{fresh}} new tools wait for a look', { changed, fresh })
}
