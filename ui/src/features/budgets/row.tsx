import { ChevronDown, ChevronRight } from 'lucide-react'
import { type KeyboardEvent, memo, useState } from 'react'
import { cx } from '@/kit/cx'
import type { Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { type Act, RowMenu } from './actions'
import { Limit } from './limit'
import { Marks } from './marks'
import { AtLimit, Outlook } from './outlook'
import { kindName } from './kinds'
import { type Row } from './tree'
import { Burn, Used } from './used'

export const columns =
  'grid grid-cols-[minmax(0,1.35fr)_minmax(0,1fr)_10rem_9rem_6.5rem_2rem] items-center gap-x-4 px-4 max-xl:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)_9.5rem_2rem] max-md:grid-cols-[minmax(0,1fr)_minmax(0,1.15fr)] max-md:gap-x-3 max-md:px-3'

export type Handlers = {
  focus: (id: string) => void
  press: (e: KeyboardEvent, id: string) => void
  peek: (id: string) => void
  toggle: (id: string, open: boolean) => void
  edit: (on: boolean, id: string) => void
  act: (act: Act, id: string, to?: string) => void
  more: (id: string) => void
}

type Props = { row: Row; unit: Unit; current: boolean; editing: boolean; overrides: boolean; acts: Record<Act | 'edit', boolean>; on: Handlers }

const kind = 'application/x-cockpit-budget'

/** One line of the treegrid. What is dragged from one neighbour to another is its budget. */
export const BudgetRow = memo(
  function BudgetRow({ row, unit, current, editing, overrides, acts, on }: Props) {
    const { budget } = row
    const [over, setOver] = useState(false)
    const limit = <Limit scope={row} budget={budget} unit={unit} editing={editing} onEdit={(open) => on.edit(open, row.id)} allowed={acts.edit} />
    return (
      <div
        role="row"
        data-row={row.id}
        tabIndex={current ? 0 : -1}
        aria-level={row.level}
        aria-posinset={row.posInSet}
        aria-setsize={row.setSize}
        aria-expanded={row.open ?? undefined}
        draggable={acts.move && !editing}
        onDragStart={(e) => {
          e.dataTransfer.setData(`${kind};${(row.parentId ?? '').toLowerCase()}`, row.id)
          e.dataTransfer.setData('text/plain', row.name)
          e.dataTransfer.effectAllowed = 'move'
        }}
        // Only neighbours take it; what is dragged tells by its type whose neighbour it is.
        onDragOver={(e) => {
          if (!acts.move || !e.dataTransfer.types.includes(`${kind};${(row.parentId ?? '').toLowerCase()}`)) return
          e.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(e) => {
          setOver(false)
          const from = e.dataTransfer.getData(`${kind};${(row.parentId ?? '').toLowerCase()}`)
          if (from && from !== row.id) on.act('move', from, row.id)
        }}
        onFocus={(e) => e.target === e.currentTarget && on.focus(row.id)}
        onKeyDown={(e) => on.press(e, row.id)}
        onClick={(e) => !(e.target as HTMLElement).closest('button, form, [role=menu]') && e.currentTarget.contains(e.target as Node) && on.peek(row.id)}
        className={cx(
          columns,
          'min-h-12 cursor-default border-b border-line py-1.5 [contain-intrinsic-size:auto_3rem] [content-visibility:auto] last:border-b-0 hover:bg-hover/60 focus-visible:-outline-offset-2',
          over && 'bg-accent-soft outline-2 -outline-offset-2 outline-accent',
        )}
      >
        <div role="gridcell" className="flex min-w-0 items-center gap-1.5" style={{ paddingInlineStart: `calc(${row.level - 1} * var(--indent, 1.25rem))` }}>
          {row.open === null ? (
            <span className="w-6 shrink-0 max-md:w-2" />
          ) : (
            <button
              type="button"
              tabIndex={-1}
              aria-label={row.open ? t('Close {{name}}', { name: row.name }) : t('Open {{name}}', { name: row.name })}
              onClick={() => on.toggle(row.id, !row.open)}
              className="flex size-6 shrink-0 items-center justify-center rounded-sm text-muted hover:bg-hover hover:text-fg"
            >
              {row.open ? <ChevronDown aria-hidden className="size-4" /> : <ChevronRight aria-hidden className="size-4" />}
            </button>
          )}
          <span className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-0.5">
            <span className="min-w-0 truncate">
              <span className="font-medium">{row.name}</span> <span className="text-xs text-muted max-md:block max-md:truncate">{row.level === 1 && row.location ? t('{{kind}} in {{place}}', { kind: kindName[row.kind], place: row.location }) : kindName[row.kind]}</span>
            </span>
            {budget && <Marks budget={budget} overrides={overrides} unit={unit} tight />}
          </span>
        </div>
        {budget ? (
          <>
            <div role="gridcell" className="min-w-0">
              <Used state={budget.state} name={row.name}>
                {limit}
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
        ) : (
          <div role="gridcell" className="col-span-2 text-muted xl:col-span-4 max-md:col-span-1">
            {limit}
          </div>
        )}
        <div role="gridcell" className="max-md:hidden">
          <RowMenu row={row} acts={acts} overrides={overrides} onEdit={() => on.edit(true, row.id)} onAct={(act) => on.act(act, row.id)} />
        </div>
      </div>
    )
  },
  (a, b) => a.unit === b.unit && a.current === b.current && a.editing === b.editing && a.overrides === b.overrides && a.on === b.on && same(a.acts, b.acts) && same(a.row, b.row),
)

function same<T extends object>(a: T, b: T) {
  return a === b || (Object.keys(a) as (keyof T)[]).every((k) => Object.is(a[k], b[k]))
}
