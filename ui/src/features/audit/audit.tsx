import { Download, History } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import {
  AuditEventByIdDocument,
  AuditEventsDocument,
  type AuditFilter,
  AuditHistogramDocument,
  type AuditOutcome,
  type AuditPartsFragment,
  type HistogramPartsFragment,
  PlaneRootDocument,
  PlatformAuditEventsDocument,
  PlatformAuditHistogramDocument,
} from '@/graphql/generated/graphql'
import type { Fault } from '@/graphql/fault'
import { LiveBadge } from '@/graphql/live'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { readsAccount, readsWholePlane, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { buttonClass } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonBlock, SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { day, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { Checkpoints } from './checkpoints'
import { Event } from './event'
import { exportHref } from './export'
import { Filters, outcomes, type Search } from './filters'
import { Histogram } from './histogram'
import { type Preset, presets, type Span, spanOf } from './span'
import { merge, useLiveEvents } from './use-events'

/** What the address asks for, as the server takes it. */
function useLog(root?: string) {
  const [url, setUrl] = useUrl<Search>()
  const search = useDebounced(url.q ?? '')
  const [now, setNow] = useState(() => new Date())
  const { action, actor, scope, range, from, to } = url
  const outcome = outcomes.find((o) => o.value === url.outcome)?.value ?? 'ALL'
  const span = useMemo(() => spanOf({ range, from, to }), [range, from, to])
  // The bars of a preset move on with the time; the list grows on top.
  const bars = useMemo(() => spanOf({ range, from, to }, now), [range, from, to, now])
  const filter = useMemo<AuditFilter>(
    () => ({ scopeId: scope ?? root, action, actorId: actor, search: search.trim() || undefined, outcome: outcome === 'ALL' ? undefined : outcome }),
    [scope, root, action, actor, search, outcome],
  )
  // A preset has no end: what happens from now on belongs to it.
  const listed = useMemo<AuditFilter>(() => ({ ...filter, from: span.from, to: span.preset ? undefined : span.to }), [filter, span])
  const counted = useMemo<AuditFilter>(() => ({ ...filter, from: bars.from, to: bars.to }), [filter, bars])
  return {
    url,
    setUrl,
    outcome,
    span,
    listed,
    counted,
    /** Whether the bars had to move on; otherwise the same ones are to be counted again. */
    moveOn: () => {
      const late = Boolean(bars.preset) && Date.now() > Date.parse(bars.to)
      if (late) setNow(new Date())
      return late
    },
  }
}

/** Events of a plane, live. */
export function AuditPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const whole = readsWholePlane(viewer, plane)
  const { data: root } = useRead(PlaneRootDocument, ask(plane), !whole)
  const [chosen, setChosen] = useState<string>()
  // Whoever doesn't read the whole plane sees the scopes that their roles are held at, one at a time.
  const held = viewer.roles.filter((r) => r.role !== 'MEMBER' && r.plane === plane)
  const rootId = whole ? pick(root)?.id : (chosen ?? held[0]?.scopeId)
  const place = whole ? nameOf(plane) : (held.find((r) => r.scopeId === rootId)?.label ?? '')
  return (
    <AccountLog rootId={rootId} plane={plane} note={t('Every change and every refusal in {{place}}.', { place })}>
      {!whole && held.length > 1 && <Select aria-label={t('Scope')} value={rootId ?? null} onChange={setChosen} options={held.map((r) => ({ value: r.scopeId, label: r.label }))} className="h-8 w-44" />}
    </AccountLog>
  )
}

/** Events of the whole account: both planes, its settings, its people. */
export function AccountAuditPage() {
  const { account } = useViewer()
  return (
    <AccountLog rootId={account.id} note={t('Every change and every refusal in {{account}}: both planes, settings and people.', { account: account.name })}>
      {null}
    </AccountLog>
  )
}

function AccountLog({ rootId, plane, note, children }: { rootId?: string; plane?: Plane; note: string; children: ReactNode }) {
  const viewer = useViewer()
  const log = useLog(rootId)
  const list = usePages(AuditEventsDocument, { filter: log.listed }, (d) => d.account?.auditEvents, !rootId)
  const histogram = useRead(AuditHistogramDocument, { filter: log.counted, buckets: log.span.buckets }, !rootId)
  return (
    <Log
      log={log}
      list={list}
      histogram={histogram.data?.account?.auditHistogram}
      onHistogram={histogram.retry}
      fault={list.fault ?? histogram.fault}
      scopeId={rootId}
      plane={plane}
      unit={plane ? unitOf(plane) : null}
      note={note}
      people
      foot={!plane && readsAccount(viewer) && <Checkpoints />}
    >
      {children}
    </Log>
  )
}

/** Events of the platform's own account, live. */
export function PlatformAuditPage() {
  const { account } = useViewer()
  const log = useLog()
  const list = usePages(PlatformAuditEventsDocument, { filter: log.listed }, (d) => d.platform?.auditEvents)
  const histogram = useRead(PlatformAuditHistogramDocument, { filter: log.counted, buckets: log.span.buckets })
  return <Log log={log} list={list} histogram={histogram.data?.platform?.auditHistogram} onHistogram={histogram.retry} fault={list.fault ?? histogram.fault} scopeId={account.id} unit={null} note={t('Every change and every refusal on the platform itself.')} people={false} foot={<Checkpoints />} />
}

type Props = {
  log: ReturnType<typeof useLog>
  list: { rows: readonly AuditPartsFragment[]; data?: unknown; loading: boolean; fetching: boolean; fault?: Fault; retry: () => void; more?: () => void }
  histogram?: HistogramPartsFragment | null
  onHistogram: () => void
  fault?: Fault
  scopeId?: string
  plane?: Plane
  unit: Unit | null
  note: string
  people: boolean
  foot?: ReactNode
  children?: ReactNode
}

function Log({ log, list, histogram, onHistogram, fault, scopeId, plane, unit, note, people, foot, children }: Props) {
  const { url, span, outcome, listed } = log
  // What is open is looked at no longer once something else is looked for.
  const setUrl = (patch: Partial<Search>) => log.setUrl({ peek: undefined, ...patch })
  const closed = !span.preset
  return (
    <>
      <PageHead title={t('Audit log')} note={note} badge={closed && <Badge>{t('A past range')}</Badge>}>
        {children}
        <Segments<Preset | 'custom'> label={t('Range')} value={span.preset ?? 'custom'} onChange={(range) => {
            log.moveOn()
            setUrl({ range, from: undefined, to: undefined })
          }} options={presets} />
        {scopeId && <Export scopeId={scopeId} filter={log.counted} span={span} />}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar
            fault={fault}
            retry={() => {
              list.retry()
              onHistogram()
            }}
          />
        </div>
      )}
      {histogram ? <Histogram data={histogram} onNarrow={({ from, to }) => setUrl({ from, to, range: undefined })} /> : !fault && <SkeletonBlock className="mb-4 h-34.5" />}
      <Card>
        <Filters url={url} setUrl={setUrl} outcome={outcome as AuditOutcome | 'ALL'} plane={plane} people={people} actorName={list.rows[0]?.actorId === url.actor ? list.rows[0]?.actorName : undefined} />
        <Events key={JSON.stringify(listed)} list={list} filter={listed} scopeId={scopeId} closed={closed} unit={unit} url={url} setUrl={setUrl} onNews={() => log.moveOn() || onHistogram()} />
      </Card>
      {foot}
    </>
  )
}

/** What is on the page, as a file, made by the server. */
function Export({ scopeId, filter, span }: { scopeId: string; filter: AuditFilter; span: Span }) {
  const asked = span.preset ? { ...filter, to: undefined } : filter
  return (
    <div className="flex gap-1">
      <a href={exportHref(scopeId, 'csv', asked)} download className={buttonClass({ size: 'sm' })}>
        <Download aria-hidden /> {t('Export CSV')}
      </a>
      <a href={exportHref(scopeId, 'ndjson', asked)} download className={buttonClass({ size: 'sm' })} aria-label={t('Export NDJSON, which can be verified')}>
        NDJSON
      </a>
    </div>
  )
}

type EventsProps = Pick<Props, 'list' | 'scopeId' | 'unit'> & { filter: AuditFilter; closed: boolean; url: Partial<Search>; setUrl: (patch: Partial<Search>) => void; onNews: () => unknown }

function Events({ list, filter, scopeId, closed, unit, url, setUrl, onNews }: EventsProps) {
  const [paused, setPaused] = useState(false)
  const { fresh, catchUp } = useLiveEvents({ scopeId, filter, paused: paused || closed, read: list.data ? list.rows : undefined })
  const events = merge(fresh, list.rows)
  const linked = useRead(AuditEventByIdDocument, { id: url.peek ?? '' }, !url.peek || list.loading || events.some((e) => e.id === url.peek))
  const far = url.peek && linked.data?.node && 'seq' in linked.data.node && linked.data.node.id === url.peek && events.every((e) => e.id !== url.peek) ? linked.data.node : undefined
  const shown = far ? [far, ...events] : events

  // The bars follow, but not for each event of a burst.
  const news = useRef(onNews)
  useEffect(() => {
    news.current = onNews
  })
  useEffect(() => {
    if (fresh.length === 0) return
    const timer = setTimeout(() => news.current(), 1500)
    return () => clearTimeout(timer)
  }, [fresh])

  return (
    <>
      {!closed && (
        <div className="flex items-center gap-2 border-b border-line px-4 py-1.5 text-xs text-muted">
          <button
            type="button"
            onClick={() => {
              catchUp()
              setPaused(!paused)
            }}
            className="min-h-6 rounded-sm"
            title={paused ? t('Resume') : t('Pause')}
          >
            <LiveBadge paused={paused} />
          </button>
          <span>{paused ? t('New events wait until you resume.') : t('New events appear on top.')}</span>
        </div>
      )}
      {list.loading && <SkeletonRows rows={10} height="h-11" />}
      {!list.loading && shown.length === 0 && !list.fault && (
        <Empty icon={<History aria-hidden />} title={t('Nothing happened here')}>
          {t('No event matches. Widen the range, or take a filter away.')}
        </Empty>
      )}
      <ul>
        {shown.map((e, i) => (
          <Event key={e.id} event={e} unit={unit} newDay={i === 0 || day(shown[i - 1]!.at) !== day(e.at)} open={e.id === url.peek} onToggle={() => setUrl({ peek: e.id === url.peek ? undefined : e.id })} onActor={(actor) => setUrl({ actor, peek: undefined })} />
        ))}
      </ul>
      {list.more && <TableFoot more={list.more} busy={list.fetching} />}
    </>
  )
}
