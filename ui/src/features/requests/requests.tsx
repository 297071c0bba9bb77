import { TreePalm, Zap } from 'lucide-react'
import { useState } from 'react'
import { useSubscription } from 'urql'
import { type RequestKind, RequestInboxDocument, RequestsDocument } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { usePages } from '@/graphql/pages'
import { useViewer, type Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { PageHead } from '@/kit/page'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { AwayDialog } from './away'
import { filters, RequestList } from './list'
import { RequestCard } from './request'
import { RulesDialog } from './rules'
import { kindName } from './words'

const kinds = (plane: Plane): readonly RequestKind[] => (plane === 'COPILOT' ? ['BUDGET', 'ACCESS', 'PUBLISH', 'TOOL_APPROVAL'] : ['BUDGET', 'ACCESS'])

/** Who asks for what, and what giving it would do. */
export function RequestsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ show: string; kind: string }>()
  const filter = filters.find((f) => f.value === url.show)?.value ?? 'WAITING_FOR_ME'
  const kind = kinds(plane).find((k) => k === url.kind)
  const [open, setOpen] = useState<'rules' | 'away'>()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(RequestsDocument, { ...ask(plane), filter, kind }, (d) => pick(d)?.requests)
  const viewer = useViewer()
  const desk = deskOf(viewer, plane) ?? pick(data)?.id
  const waiting = useInbox(desk, retry)
  const decides = viewer.roles.some((r) => r.role === 'ADMIN') && !viewer.support
  return (
    <>
      <PageHead title={t('Requests')} note={t('What people ask for in {{plane}}. Nobody decides on their own request.', { plane: nameOf(plane) })} badge={<LiveBadge />}>
        {decides && (
          <>
            <Button size="sm" onClick={() => setOpen('away')}>
              <TreePalm aria-hidden /> {t('While I am away')}
            </Button>
            {desk && (
              <Button size="sm" onClick={() => setOpen('rules')}>
                <Zap aria-hidden /> {t('Rules')}
              </Button>
            )}
          </>
        )}
      </PageHead>
      <div className="mb-4 flex flex-wrap gap-2">
        <Segments label={t('Show')} value={filter} onChange={(show) => setUrl({ show: show === 'WAITING_FOR_ME' ? undefined : show })} options={filters.map(({ value, label }) => ({ value, label: value === 'WAITING_FOR_ME' && waiting ? `${label} (${waiting})` : label }))} />
        <Segments<RequestKind | 'ALL'> label={t('Kind')} value={kind ?? 'ALL'} onChange={(next) => setUrl({ kind: next === 'ALL' ? undefined : next })} options={[{ value: 'ALL', label: t('All kinds') }, ...kinds(plane).map((value) => ({ value, label: kindName[value] }))]} />
      </div>
      <RequestList filter={filter} rows={rows} loaded={Boolean(data)} loading={loading} fetching={fetching} fault={fault} retry={retry} more={more} clear={t('Nobody waits for a decision. Requests show here the moment they are made.')}>
        {(r) => <RequestCard key={r.id} request={r} />}
      </RequestList>
      {open === 'rules' && desk && <RulesDialog plane={plane} scopeId={desk} onClose={() => setOpen(undefined)} />}
      {open === 'away' && <AwayDialog onClose={() => setOpen(undefined)} />}
    </>
  )
}

/** What the inbox of somebody follows who doesn't administer the whole plane: the highest of their places in it. */
function deskOf(viewer: Viewer, plane: Plane): string | undefined {
  const admin = viewer.roles.filter((r) => r.role === 'ADMIN')
  if (admin.some((r) => r.kind === 'ACCOUNT' || r.kind === plane)) return undefined
  const at = (kind: string) => admin.find((r) => r.kind === kind && r.plane === plane)?.scopeId
  return at('ORGANIZATION') ?? at('TEAM')
}

/** How many wait, live; `onChange` runs when a request was made or decided. */
function useInbox(desk: string | undefined, onChange: () => void): number {
  const [waiting, setWaiting] = useState(0)
  useSubscription({ query: RequestInboxDocument, variables: { scopeId: desk ?? '' }, pause: !desk }, (_, next) => {
    setWaiting(next.requestInbox.waiting)
    if (next.requestInbox.request) onChange()
    return next
  })
  return waiting
}
