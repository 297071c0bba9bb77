import { ChevronDown, ChevronRight, CircleGauge } from 'lucide-react'
import { type KeyboardEvent, useRef, useState } from 'react'
import { LiveBadge } from '@/graphql/live'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { month, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { useBurn } from './burn'
import { Limit } from './limit'
import { AtLimit, Outlook } from './outlook'
import { BudgetPeek } from './peek'
import { kindName, layOutFlat, type Row, useTree } from './tree'
import { Burn, Used } from './used'

export function BudgetsPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const tree = useTree(plane)
  const [url, setUrl] = useUrl<{ peek: string; q: string }>()
  const [paused, setPaused] = useState(false)
  const [editing, setEditing] = useState<string>()
  const top = tree.nodes[0]
  useBurn(top?.id, paused)
  const state = top?.budget?.state
  const unit = unitOf(plane)

  const needle = (url.q ?? '').toLowerCase()
  const rows = needle ? layOutFlat(tree.nodes.filter((n) => n.name.toLowerCase().includes(needle))) : tree.rows

  const note = [state && t('{{month}}, {{percent}}% gone.', { month: month(state.startsAt, viewer.account.timeZone), percent: Math.round(state.elapsedPercent) }), t('Limits nest: the first one reached stops the call.')].filter(Boolean).join(' ')

  return (
    <>
      <PageHead
        title={plane === 'COPILOT' ? t('Credit budgets') : t('Budgets')}
        note={note}
        badge={
          <button type="button" onClick={() => setPaused(!paused)} className="min-h-6 rounded-sm" title={paused ? t('Resume') : t('Pause')}>
            <LiveBadge paused={paused} />
          </button>
        }
      >
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter by name')} />
      </PageHead>
      {tree.fault && (
        <div className="mb-4">
          <ErrorBar fault={tree.fault} retry={tree.retry} />
        </div>
      )}
      <Card>
        {tree.loading ? (
          <SkeletonRows rows={8} height="h-12" />
        ) : rows.length === 0 ? (
          <Empty icon={<CircleGauge aria-hidden />} title={needle ? t('No name matches') : t('Nothing to limit yet')} />
        ) : (
          <Tree rows={rows} unit={unit} editing={editing} onEdit={setEditing} onToggle={tree.toggle} onPeek={(peek) => setUrl({ peek })} />
        )}
        {tree.more && !needle && (
          <div className="border-t border-line p-2 text-center">
            <Button variant="ghost" size="sm" onClick={tree.more} busy={tree.fetching}>
              {t('Show more')}
            </Button>
          </div>
        )}
      </Card>
      {url.peek && <BudgetPeek key={url.peek} id={url.peek} plane={plane} onClose={() => setUrl({ peek: undefined })} />}
    </>
  )
}

type TreeProps = {
  rows: Row[]
  unit: Unit
  editing?: string
  onEdit: (id: string | undefined) => void
  onToggle: (id: string, open: boolean) => void
  onPeek: (id: string) => void
}

const columns = 'grid grid-cols-[minmax(0,1.35fr)_minmax(0,1fr)_11rem_9.5rem_7.5rem] items-center gap-x-4 px-4 max-xl:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)_9.5rem] max-md:grid-cols-[minmax(0,1fr)_minmax(0,1.15fr)] max-md:gap-x-3 max-md:px-3'

/** A treegrid: arrows move and fold, Enter opens, E edits. */
function Tree({ rows, unit, editing, onEdit, onToggle, onPeek }: TreeProps) {
  const grid = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<string>()
  const at = Math.max(
    rows.findIndex((r) => r.id === active),
    0,
  )

  const focus = (i: number) => {
    const row = rows[Math.min(Math.max(i, 0), rows.length - 1)]
    if (!row) return
    setActive(row.id)
    grid.current?.querySelector<HTMLElement>(`[data-row="${row.id}"]`)?.focus()
  }

  const press = (e: KeyboardEvent, i: number) => {
    const row = rows[i]
    if (!row || e.target !== e.currentTarget) return
    const act: Record<string, () => void> = {
      ArrowDown: () => focus(i + 1),
      ArrowUp: () => focus(i - 1),
      Home: () => focus(0),
      End: () => focus(rows.length - 1),
      ArrowRight: () => (row.open === false ? onToggle(row.id, true) : row.open && focus(i + 1)),
      ArrowLeft: () => (row.open ? onToggle(row.id, false) : focus(rows.findIndex((r) => r.id === row.parentId))),
      Enter: () => onPeek(row.id),
    }
    const run = act[e.key]
    if (!run) return
    e.preventDefault()
    run()
  }
  useKeys({
    j: () => focus(active === undefined ? 0 : at + 1),
    k: () => focus(at - 1),
    e: () => rows[at] && may(rows[at], 'budget.set') && edit(true, rows[at]),
  })

  return (
    <div ref={grid} role="treegrid" aria-label={t('Budgets')} className="text-sm">
      <div role="row" className={cx(columns, 'h-9 border-b border-line text-xs font-medium text-muted')}>
        <span role="columnheader">{t('Scope')}</span>
        <span role="columnheader">{unit === 'USD' ? t('Used in this cycle') : t('Credits used in this cycle')}</span>
        <span role="columnheader" className="max-xl:hidden">
          {t('Burn and forecast')}
        </span>
        <span role="columnheader" className="max-md:hidden">
          {t('Outlook')}
        </span>
        <span role="columnheader" className="max-xl:hidden">
          {t('At the limit')}
        </span>
      </div>
      {rows.map((row, i) => {
        const { budget } = row
        return (
          <div
            key={row.id}
            role="row"
            data-row={row.id}
            tabIndex={i === at ? 0 : -1}
            aria-level={row.level}
            aria-posinset={row.posInSet}
            aria-setsize={row.setSize}
            aria-expanded={row.open ?? undefined}
            onFocus={(e) => e.target === e.currentTarget && setActive(row.id)}
            onKeyDown={(e) => press(e, i)}
            onClick={(e) => !(e.target as HTMLElement).closest('button, form') && onPeek(row.id)}
            className={cx(columns, 'min-h-12 cursor-default border-b border-line py-1.5 last:border-b-0 hover:bg-hover/60 focus-visible:-outline-offset-2')}
          >
            <div role="gridcell" className="flex min-w-0 items-center gap-1.5" style={{ paddingInlineStart: `calc(${row.level - 1} * var(--indent, 1.25rem))` }}>
              {row.open === null ? (
                <span className="w-6 shrink-0 max-md:w-2" />
              ) : (
                <button
                  type="button"
                  tabIndex={-1}
                  aria-label={row.open ? t('Close {{name}}', { name: row.name }) : t('Open {{name}}', { name: row.name })}
                  onClick={() => onToggle(row.id, !row.open)}
                  className="flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-hover hover:text-fg"
                >
                  {row.open ? <ChevronDown aria-hidden className="size-4" /> : <ChevronRight aria-hidden className="size-4" />}
                </button>
              )}
              <span className="min-w-0 truncate">
                <span className="font-medium">{row.name}</span> <span className="text-xs text-muted max-md:block">{kindName[row.kind]}</span>
              </span>
              {budget?.overcommitted && (
                <Badge tone="warn" className="max-lg:hidden">
                  {t('Overcommitted')}
                </Badge>
              )}
            </div>
            {budget && (
              <>
                <div role="gridcell" className="min-w-0">
                  <Used state={budget.state} name={row.name}>
                    <Limit scope={row} budget={budget} unit={unit} editing={editing === row.id} onEdit={(on) => edit(on, row)} allowed={may(row, 'budget.set')} />
                  </Used>
                </div>
                <div role="gridcell" className="max-xl:hidden">
                  <Burn state={budget.state} series={budget.series} name={row.name} />
                </div>
                <div role="gridcell" className="max-md:hidden">
                  <Outlook state={budget.state} />
                </div>
                <div role="gridcell" className="max-xl:hidden">
                  <AtLimit overflow={budget.overflow} unit={unit} />
                </div>
              </>
            )}
            {!budget && (
              <div role="gridcell" className="col-span-2 text-muted xl:col-span-4 max-md:col-span-1">
                <Limit scope={row} budget={null} unit={unit} editing={editing === row.id} onEdit={(on) => edit(on, row)} allowed={may(row, 'budget.set')} />
              </div>
            )}
          </div>
        )
      })}
    </div>
  )

  // A phone's row has no room for the form: the panel has. Afterwards the focus goes back to the row.
  function edit(on: boolean, row: Row) {
    if (on && matchMedia('(width < 48rem)').matches) return onPeek(row.id)
    onEdit(on ? row.id : undefined)
    if (!on) requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>(`[data-row="${row.id}"]`)?.focus())
  }
}
