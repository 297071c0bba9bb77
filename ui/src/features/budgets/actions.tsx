import { ArrowRightLeft, Ellipsis, Equal, HandCoins, Pencil, Play, SlidersHorizontal, Snowflake, TrendingUp, Undo2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import type { ScopeKind } from '@/graphql/generated/graphql'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Menu, MenuItem, MenuLine } from '@/kit/menu'
import type { Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { AskDialog } from '@/features/requests'
import { FreezeBudget, ResumeBudget } from '@/features/statements'
import { isRoot } from './kinds'
import type { Row } from './tree'

const MoveBudget = lazy(async () => ({ default: (await import('./move')).MoveBudget }))
const RaiseBudget = lazy(async () => ({ default: (await import('./raise')).RaiseBudget }))
const ShareOut = lazy(async () => ({ default: (await import('./share-out')).ShareOut }))
const BudgetSettings = lazy(async () => ({ default: (await import('./settings')).BudgetSettings }))
const RemoveBudget = lazy(async () => ({ default: (await import('./remove')).RemoveBudget }))

export type Act = 'ask' | 'move' | 'raise' | 'share' | 'settings' | 'freeze' | 'resume' | 'remove'

/** What the viewer may do with a row's budget. */
export function actsOn(row: Row, rows: readonly Row[]): Record<Act | 'edit', boolean> {
  const sets = may(row, 'budget.set')
  return {
    edit: sets,
    // Whoever may set it needn't ask. Copilot's credits are the platform's to give, and to be asked for there.
    ask: !sets && may(row, 'request.create'),
    move: sets && rows.some((r) => r.id !== row.id && neighbours(row, r)),
    raise: sets && Boolean(row.budget),
    share: Boolean(row.budget) && row.kind !== 'MEMBER' && row.kind !== 'KEY' && row.kind !== 'AGENT' && may(row, 'budget.distribute'),
    settings: Boolean(row.budget) && (sets || may(row, 'budget.distribute')),
    freeze: Boolean(row.budget) && !row.budget?.state.frozenAt && may(row.budget, 'budget.freeze'),
    resume: Boolean(row.budget?.state.frozenAt) && may(row.budget, 'budget.resume'),
    remove: Boolean(row.budget) && row.budget?.origin === 'SET' && may(row, 'budget.remove'),
  }
}

/** Budget can move between them: they stand below the same parent, with budgets of their own. */
const neighbours = (a: Row, b: Row) => Boolean(a.budget && b.budget && a.kind !== 'KEY' && a.kind !== 'AGENT' && a.kind === b.kind && a.parentId && a.parentId === b.parentId && may(b, 'budget.set'))

export const neighboursOf = (row: Row, rows: readonly Row[]) => rows.filter((r) => neighbours(row, r))

/** Its limit stands in the place of an equal share of its parent. */
export const overridesShare = (row: Row, parent: Row | undefined): boolean => row.budget?.origin === 'SET' && row.kind !== 'KEY' && row.kind !== 'AGENT' && parent?.budget?.distribution === 'EQUAL'

/** What taking its limit away is called. */
export const removeWords = (row: { kind: ScopeKind }, overrides: boolean): string => (overrides ? t('Remove override') : isRoot(row) ? t('Remove pool') : t('Remove limit'))

export const parentOf = (row: Row, rows: readonly Row[]) => rows.find((r) => r.id === row.parentId)

type Doing = { act: Act; row: Row; to?: string }

/** The dialogs of the page; `start` opens one if the viewer may. */
export function useActs(rows: readonly Row[], unit: Unit) {
  const [doing, setDoing] = useState<Doing>()
  const start = (act: Act, row: Row, to?: string) => actsOn(row, rows)[act] && setDoing({ act, row, to })
  const close = () => {
    const row = doing?.row.id
    setDoing(undefined)
    // Back to the row, unless a panel still lies over it.
    requestAnimationFrame(() => !document.querySelector('[data-modal]') && document.querySelector<HTMLElement>(`[data-row="${row}"]`)?.focus())
  }
  const { act, row, to } = doing ?? {}
  const dialog = row && (
    <Suspense fallback={null}>
      {act === 'ask' && <AskDialog scope={row} unit={unit} onClose={close} />}
      {act === 'move' && <MoveBudget from={row} to={to} neighbours={neighboursOf(row, rows)} unit={unit} onClose={close} />}
      {act === 'raise' && <RaiseBudget scope={row} unit={unit} onClose={close} />}
      {act === 'share' && <ShareOut scope={row} unit={unit} onClose={close} />}
      {act === 'settings' && <BudgetSettings scope={row} unit={unit} onClose={close} />}
      {act === 'freeze' && row.budget && <FreezeBudget budgetId={row.budget.id} name={row.name} onClose={close} />}
      {act === 'resume' && row.budget && <ResumeBudget budgetId={row.budget.id} name={row.name} onClose={close} />}
      {act === 'remove' && row.budget && <RemoveBudget scope={row} budget={row.budget} overrides={overridesShare(row, parentOf(row, rows))} unit={unit} onClose={close} />}
    </Suspense>
  )
  return { start, dialog }
}

type MenuProps = { row: Row; acts: Record<Act | 'edit', boolean>; overrides: boolean; onEdit: () => void; onAct: (act: Act) => void }

export function RowMenu({ row, acts, overrides, onEdit, onAct }: MenuProps) {
  if (!Object.values(acts).some(Boolean)) return null
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon" tabIndex={-1} aria-label={t('Actions for {{name}}', { name: row.name })}>
          <Ellipsis aria-hidden />
        </Button>
      }
    >
      {acts.edit && (
        <MenuItem onClick={onEdit}>
          <Pencil aria-hidden /> {row.budget ? t('Change limit') : t('Set a limit')} <Key k="E" />
        </MenuItem>
      )}
      {acts.ask && (
        <MenuItem onClick={() => onAct('ask')}>
          <HandCoins aria-hidden /> {t('Request more')}
        </MenuItem>
      )}
      {acts.raise && (
        <MenuItem onClick={() => onAct('raise')}>
          <TrendingUp aria-hidden /> {t('Raise for a while')} <Key k="R" />
        </MenuItem>
      )}
      {acts.move && (
        <MenuItem onClick={() => onAct('move')}>
          <ArrowRightLeft aria-hidden /> {t('Move budget')} <Key k="M" />
        </MenuItem>
      )}
      {acts.share && (
        <MenuItem onClick={() => onAct('share')}>
          <Equal aria-hidden /> {t('Share out')} <Key k="S" />
        </MenuItem>
      )}
      {acts.settings && (
        <MenuItem onClick={() => onAct('settings')}>
          <SlidersHorizontal aria-hidden /> {t('Settings')}
        </MenuItem>
      )}
      {(acts.freeze || acts.resume || acts.remove) && <MenuLine />}
      {acts.freeze && (
        <MenuItem onClick={() => onAct('freeze')}>
          <Snowflake aria-hidden /> {t('Freeze')}
        </MenuItem>
      )}
      {acts.resume && (
        <MenuItem onClick={() => onAct('resume')}>
          <Play aria-hidden /> {t('Resume')}
        </MenuItem>
      )}
      {acts.remove && (
        <MenuItem danger={!overrides} onClick={() => onAct('remove')}>
          <Undo2 aria-hidden /> {removeWords(row, overrides)}
        </MenuItem>
      )}
    </Menu>
  )
}

const Key = ({ k }: { k: string }) => (
  <kbd aria-hidden className="ms-auto ps-6 font-sans text-xs text-muted">
    {k}
  </kbd>
)
