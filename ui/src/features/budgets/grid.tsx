import { type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { cx } from '@/kit/cx'
import type { Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { type Act, actsOn, overridesShare } from './actions'
import { BudgetRow, columns, type Handlers } from './row'
import type { Row } from './tree'

type Props = {
  rows: Row[]
  unit: Unit
  editing?: string
  onEdit: (id: string | undefined) => void
  onToggle: (id: string, open: boolean) => void
  onPeek: (id: string) => void
  onAct: (act: Act, row: Row, to?: string) => void
}

/** A treegrid: arrows move and fold, Enter opens, E edits, R raises, M moves, S shares out. */
export function Grid({ rows, unit, editing, onEdit, onToggle, onPeek, onAct }: Props) {
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

  const press = (e: KeyboardEvent, id: string) => {
    const i = rows.findIndex((r) => r.id === id)
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

  const current = rows[at]
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
    latest.current = { focus: (id) => setActive(id), press, peek: onPeek, toggle: onToggle, edit, act }
  })
  const handlers = useMemo<Handlers>(
    () => ({
      focus: (id) => latest.current?.focus(id),
      press: (e, id) => latest.current?.press(e, id),
      peek: (id) => latest.current?.peek(id),
      toggle: (id, open) => latest.current?.toggle(id, open),
      edit: (on, id) => latest.current?.edit(on, id),
      act: (what, id, to) => latest.current?.act(what, id, to),
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
      {rows.map((row, i) => (
        <BudgetRow key={row.id} row={row} unit={unit} current={i === at} editing={editing === row.id} {...told.get(row.id)!} on={handlers} />
      ))}
    </div>
  )
}
