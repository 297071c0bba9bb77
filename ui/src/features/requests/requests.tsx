import { CircleCheckBig, Inbox } from 'lucide-react'
import { useState } from 'react'
import { useSubscription } from 'urql'
import { type RequestFilter, RequestInboxDocument, RequestsDocument } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { usePages } from '@/graphql/pages'
import { useViewer, type Viewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { RequestCard } from './request'

const filters: readonly { value: RequestFilter; label: string }[] = [
  { value: 'WAITING_FOR_ME', label: t('Waiting for me') },
  { value: 'OPEN', label: t('All open') },
  { value: 'CLOSED', label: t('Closed') },
]

/** Who asks for more budget, and what giving it would do. */
export function RequestsPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ show: string }>()
  const filter = filters.find((f) => f.value === url.show)?.value ?? 'WAITING_FOR_ME'
  const { data, rows, loading, fetching, fault, retry, more } = usePages(RequestsDocument, { ...ask(plane), filter }, (d) => pick(d)?.requests)
  const viewer = useViewer()
  const waiting = useInbox(deskOf(viewer, plane) ?? pick(data)?.id, retry)
  return (
    <>
      <PageHead title={t('Requests')} note={t('People who ask for more budget in {{plane}}. Nobody decides on their own request.', { plane: nameOf(plane) })} badge={<LiveBadge />}>
        <Segments label={t('Show')} value={filter} onChange={(show) => setUrl({ show: show === 'WAITING_FOR_ME' ? undefined : show })} options={filters.map(({ value, label }) => ({ value, label: value === 'WAITING_FOR_ME' && waiting ? `${label} (${waiting})` : label }))} />
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading ? (
          <SkeletonRows rows={4} height="h-24" />
        ) : (
          data &&
          rows.length === 0 &&
          (filter === 'CLOSED' ? (
            <Empty icon={<Inbox aria-hidden />} title={t('Nothing was decided yet')} />
          ) : (
            <Empty icon={<CircleCheckBig aria-hidden />} title={t('All clear')}>
              {t('Nobody waits for more budget. Requests show here the moment they are made.')}
            </Empty>
          ))
        )}
        <ul>
          {rows.map((r) => (
            <RequestCard key={r.id} request={r} />
          ))}
        </ul>
        <TableFoot more={more} busy={fetching} />
      </Card>
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
