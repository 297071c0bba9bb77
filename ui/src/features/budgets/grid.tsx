import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { cx } from '@/kit/cx'
import type { Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { type Act, actsOn, overridesShare } from './actions'
import { BudgetRow, columns, type Handlers } from './row'
import { MoreRow } from './more-row'
import { isRow, type Line, type Row } from './tree'
import { useVisible } from './visible'

type Props = {
  lines: Line[]
  unit: Unit
  editing?: string
  onEdit: (id: string | undefined) => void
  onToggle: (id: string, open: boolean) => void
  onPeek: (id: string) => void
  onAct: (act: Act, row: Row, to?: string) => void
  /** The scopes whose rows are on screen, or nearly. */
  onVisible: (ids: readonly string[]) => void
}

/** A treegrid: arrows move and fold, Enter opens, E edits, R raises, M moves, S shares out. */
export function Grid({ lines, unit, editing, onEdit, onToggle, onPeek, onAct, onVisible }: Props) {
  const rows = useMemo(() => lines.filter(isRow), [lines])
  const grid = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<string>()
  const at = Math.max(
    lines.findIndex((r) => r.id === active),
    0,
  )
  useVisible(grid, rows, onVisible)

  const focus = (i: number) => {
    const row = lines[Math.min(Math.max(i, 0), lines.length - 1)]
    if (!row) return
    setActive(row.id)
    grid.current?.querySelector<HTMLElement>(`[data-row="${row.id}"]`)?.focus()
  }

  const press = (e: KeyboardEvent, id: string) => {
    const i = lines.findIndex((r) => r.id === id)
    const line = lines[i]
    if (!line || e.target !== e.currentTarget) return
    const act: Record<string, () => void> = {
      ArrowDown: () => focus(i + 1),
      ArrowUp: () => focus(i - 1),
      Home: () => focus(0),
      End: () => focus(lines.length - 1),
      ArrowRight: () => isRow(line) && (line.open === false ? onToggle(line.id, true) : line.open && focus(i + 1)),
      ArrowLeft: () => (isRow(line) && line.open ? onToggle(line.id, false) : focus(lines.findIndex((r) => r.id === line.parentId))),
      Enter: () => (isRow(line) ? onPeek(line.id) : more(line.id)),
    }
    const run = act[e.key]
    if (!run) return
    e.preventDefault()
    run()
  }

  // The focus goes on to the first row that comes.
  const coming = useRef<{ id: string; at: number }>(undefined)
  const more = (id: string) => {
    const i = lines.findIndex((l) => l.id === id)
    const line = lines[i]
    if (!line || isRow(line) || line.busy) return
    coming.current = { id, at: i }
    line.more()
  }
  useEffect(() => {
    const { id, at: i } = coming.current ?? {}
    if (i === undefined || !lines[i] || lines[i].id === id) return
    coming.current = undefined
    focus(i)
  })

  // A phone's row has no room for the form: the panel has. Afterwards the focus goes back to the row.
  const edit = (on: boolean, id: string) => {
    if (on && matchMedia('(width < 48rem)').matches) return onPeek(id)
    onEdit(on ? id : undefined)
    if (!on) requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>(`[data-row="${id}"]`)?.focus())
  }

  const act = (what: Act, id: string, to?: string) => {
    const row = rows.find((r) => r.id === id)
    if (row) onAct(what, row, to)
  }

  const line = lines[at]
  const current = line && isRow(line) ? line : undefined
  const start = (what: Act) => () => current && onAct(what, current)
  useKeys({
    j: () => focus(active === undefined ? 0 : at + 1),
    k: () => focus(at - 1),
    e: () => current && actsOn(current, rows).edit && edit(true, current.id),
    r: start('raise'),
    m: start('move'),
    s: start('share'),
  })

  // The rows keep the same handlers, so that only those that changed are drawn anew.
  const latest = useRef<Handlers>(undefined)
  useLayoutEffect(() => {
    latest.current = { focus: (id) => setActive(id), press, peek: onPeek, toggle: onToggle, edit, act, more }
  })
  const handlers = useMemo<Handlers>(
    () => ({
      focus: (id) => latest.current?.focus(id),
      press: (e, id) => latest.current?.press(e, id),
      peek: (id) => latest.current?.peek(id),
      toggle: (id, open) => latest.current?.toggle(id, open),
      edit: (on, id) => latest.current?.edit(on, id),
      act: (what, id, to) => latest.current?.act(what, id, to),
      more: (id) => latest.current?.more(id),
    }),
    [],
  )
  const told = useMemo(() => {
    const byId = new Map(rows.map((row) => [row.id, row]))
    return new Map(rows.map((row) => [row.id, { acts: actsOn(row, rows), overrides: overridesShare(row, byId.get(row.parentId ?? '')) }]))
  }, [rows])

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
        <span role="columnheader" className="max-md:hidden">
          <span className="sr-only">{t('Actions')}</span>
        </span>
      </div>
      {lines.map((l, i) =>
        isRow(l) ? (
          <BudgetRow key={l.id} row={l} unit={unit} current={i === at} editing={editing === l.id} {...told.get(l.id)!} on={handlers} />
        ) : (
          <MoreRow key={l.id} line={l} current={i === at} on={handlers} />
        ),
      )}
    </div>
  )
}
