import { ChevronRight, History } from 'lucide-react'
import { type ReactNode, useMemo, useState } from 'react'
import { useSubscription } from 'urql'
import { AuditEventsDocument, type AuditFilter, AuditLiveDocument, type AuditOutcome, type AuditPartsFragment, PlaneRootDocument, PlatformAuditEventsDocument } from '@/graphql/generated/graphql'
import type { Fault } from '@/graphql/fault'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { readsWholePlane, useViewer } from '@/graphql/viewer'
import { Badge, type Tone } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { clock, day, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { headline, speaksOfItself, value, verb } from './sentence'

type Search = { action: string; outcome: string }

const outcomes: readonly { value: AuditOutcome | 'ALL'; label: string }[] = [
  { value: 'ALL', label: t('All') },
  { value: 'DONE', label: t('Done') },
  { value: 'REFUSED', label: t('Refused') },
  { value: 'FAILED', label: t('Failed') },
]

const tones: Record<AuditOutcome, Tone> = { DONE: 'info', REFUSED: 'bad', FAILED: 'warn' }

function useFilter(scopeId?: string) {
  const [url, setUrl] = useUrl<Search>()
  const outcome = outcomes.find((o) => o.value === url.outcome)?.value ?? 'ALL'
  const action = useDebounced(url.action ?? '')
  const filter = useMemo<AuditFilter>(() => ({ scopeId, action: action || undefined, outcome: outcome === 'ALL' ? undefined : outcome }), [scopeId, action, outcome])
  return { filter, outcome, action: url.action ?? '', setUrl }
}

/** Events of a plane, live. */
export function AuditPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const whole = readsWholePlane(viewer, plane)
  const { data: root } = useRead(PlaneRootDocument, ask(plane), !whole)
  const [chosen, setChosen] = useState<string>()
  // Whoever doesn't read the whole plane sees the scopes that their roles are held at, one at a time.
  const held = viewer.roles.filter((r) => r.role !== 'MEMBER' && r.plane === plane)
  const scopeId = whole ? pick(root)?.id : (chosen ?? held[0]?.scopeId)
  const search = useFilter(scopeId)
  const [after, setAfter] = useState<string>()
  const read = useRead(AuditEventsDocument, { filter: search.filter, after }, !scopeId)
  return <Events key={JSON.stringify(search.filter)} {...search} {...read} list={read.data?.account?.auditEvents} scopeId={scopeId} unit={unitOf(plane)} note={t('Every change and every refusal in {{place}}.', { place: whole ? nameOf(plane) : (held.find((r) => r.scopeId === scopeId)?.label ?? '') })} onMore={setAfter}>
      {!whole && held.length > 1 && <Select aria-label={t('Scope')} value={scopeId ?? null} onChange={setChosen} options={held.map((r) => ({ value: r.scopeId, label: r.label }))} className="h-8 w-44" />}
    </Events>
}

/** Events of the platform's own account, live. */
export function PlatformAuditPage() {
  const search = useFilter()
  const [after, setAfter] = useState<string>()
  const read = useRead(PlatformAuditEventsDocument, { filter: search.filter, after })
  return <Events key={JSON.stringify(search.filter)} {...search} {...read} list={read.data?.platform?.auditEvents} scopeId={useViewer().account.id} unit="CREDITS" note={t('Every change and every refusal on the platform itself.')} onMore={setAfter} />
}

type Props = {
  list?: { edges: readonly { node: AuditPartsFragment }[]; pageInfo: { hasNextPage: boolean; endCursor?: string | null } } | null
  loading: boolean
  fetching: boolean
  fault?: Fault
  retry: () => void
  scopeId?: string
  filter: AuditFilter
  outcome: AuditOutcome | 'ALL'
  action: string
  setUrl: (patch: Partial<Search>) => void
  unit: Unit
  note: string
  onMore: (cursor: string | undefined) => void
  children?: ReactNode
}

function Events({ list, loading, fetching, fault, retry, scopeId, filter, outcome, action, setUrl, unit, note, onMore, children }: Props) {
  const [paused, setPaused] = useState(false)
  const [fresh, setFresh] = useState<readonly AuditPartsFragment[]>([])
  const [earlier, setEarlier] = useState<readonly AuditPartsFragment[]>([])
  useSubscription({ query: AuditLiveDocument, variables: { scopeId: scopeId ?? '', filter }, pause: paused || !scopeId }, (_, next) => {
    setFresh((was) => [next.auditEvents, ...was.filter((e) => e.id !== next.auditEvents.id)].slice(0, 200))
    return next
  })
  const seen = new Set<string>()
  const events = [...fresh, ...earlier, ...(list?.edges.map((e) => e.node) ?? [])]
    .filter((e) => !seen.has(e.id) && seen.add(e.id))
    .toSorted((a, b) => b.seq - a.seq)

  return (
    <>
      <PageHead
        title={t('Audit log')}
        note={note}
        badge={
          <button type="button" onClick={() => setPaused(!paused)} className="min-h-6 rounded-sm" title={paused ? t('Resume') : t('Pause')}>
            <LiveBadge paused={paused} />
          </button>
        }
      >
        {children}
        <Segments label={t('Outcome')} value={outcome} onChange={(o) => setUrl({ outcome: o === 'ALL' ? undefined : o })} options={outcomes} />
        <Filter value={action} onChange={(text) => setUrl({ action: text || undefined })} label={t('Action, such as budget or key.create')} />
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={10} height="h-11" />}
        {!loading && events.length === 0 && !fault && <Empty icon={<History aria-hidden />} title={t('Nothing happened here')}>{(filter.action || filter.outcome) && t('Widen the filter: no event matches it.')}</Empty>}
        <ul>
          {events.map((e, i) => (
            <Event key={e.id} event={e} unit={unit} newDay={i === 0 || day(events[i - 1]!.at) !== day(e.at)} />
          ))}
        </ul>
        {list?.pageInfo.hasNextPage && (
          <div className="border-t border-line p-2 text-center">
            <Button
              variant="ghost"
              size="sm"
              busy={fetching}
              onClick={() => {
                setEarlier(events)
                onMore(list.pageInfo.endCursor ?? undefined)
              }}
            >
              {t('Show more')}
            </Button>
          </div>
        )}
      </Card>
    </>
  )
}

function Event({ event: e, unit, newDay }: { event: AuditPartsFragment; unit: Unit; newDay: boolean }) {
  const [open, setOpen] = useState(false)
  const detail = headline(e, unit)
  return (
    <li className="border-b border-line last:border-b-0">
      {newDay && <p className="border-b border-line bg-bg px-4 py-1 text-xs font-medium text-muted">{day(e.at)}</p>}
      <button type="button" data-row-link aria-expanded={open} onClick={() => setOpen(!open)} className="flex min-h-11 w-full items-center gap-3 px-4 py-2 text-start hover:bg-hover/60 focus-visible:-outline-offset-2">
        <ChevronRight aria-hidden className={cx('size-4 shrink-0 text-muted transition-transform', open && 'rotate-90')} />
        <time dateTime={e.at} title={utc(e.at)} className="num shrink-0 text-muted">
          {clock(e.at)}
        </time>
        <span className="min-w-0 grow">
          <span className="font-medium">{e.actorName}</span>{' '}
          <span className="text-muted">{e.outcome === 'DONE' ? verb(e.action) : e.outcome === 'REFUSED' ? t('was refused') : t('failed at')}</span>{' '}
          {!speaksOfItself(e) && <span className="font-medium">{e.targetName}</span>} {detail && <span className="num text-muted">{detail}</span>}
          {e.reason && <span className="text-bad">{e.reason}</span>}
          {e.count > 1 && <span className="text-muted"> {t('({{count}} times in a minute)', { count: e.count })}</span>}
        </span>
        <Badge tone={tones[e.outcome]} className="max-sm:hidden">
          {e.action}
        </Badge>
      </button>
      {open && (
        <div className="grid gap-3 border-t border-line bg-bg px-4 py-3 ps-11 max-sm:ps-4">
          {e.reason && <p className="text-bad">{e.reason}</p>}
          {e.changes.length > 0 && (
            <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1">
              {e.changes.map((c) => (
                <div key={c.field} className="contents">
                  <dt className="font-mono text-xs leading-5 text-muted">{c.field}</dt>
                  <dd className="min-w-0 break-words">
                    {c.before !== null && c.before !== undefined && (
                      <>
                        <del className="rounded-sm bg-bad-soft px-1 text-bad">{value(c, c.before, unit)}</del> <span aria-hidden>→</span>{' '}
                      </>
                    )}
                    <ins className="rounded-sm bg-ok-soft px-1 text-ok no-underline">{value(c, c.after, unit)}</ins>
                  </dd>
                </div>
              ))}
            </dl>
          )}
          <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted">
            <span>{utc(e.at)}</span>
            <span>{t('No. {{seq}}', { seq: e.seq })}</span>
            {e.requestId && (
              <span className="flex items-center gap-1">
                {t('Request')} <code className="font-mono">{e.requestId}</code>
                <CopyButton compact text={e.requestId} label={t('Copy request id')} />
              </span>
            )}
          </p>
        </div>
      )}
    </li>
  )
}
