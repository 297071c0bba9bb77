import { ArrowRightLeft, Ellipsis, Equal, HandCoins, SlidersHorizontal, TrendingUp, Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Menu, MenuItem } from '@/kit/menu'
import { dayIn, money, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { BudgetControls } from '@/features/statements'
import { type Act, actsOn, overridesShare, parentOf, removeWords, useActs } from './actions'
import { Increases } from './increases'
import { Limit } from './limit'
import { Marks } from './marks'
import type { Row } from './tree'
import { Used } from './used'
import { useAccountZone } from './zone'

type Props = { row: Row; rows: readonly Row[]; unit: Unit; /** Where its closed cycles are told of. */ statements?: ReactNode }

/** What a budget is, and all that may be done with it. */
export function BudgetPanel({ row, rows, unit, statements }: Props) {
  const [editing, setEditing] = useState(false)
  const zone = useAccountZone()
  const acts = useActs(rows, unit)
  const { budget } = row
  const limit = <Limit scope={row} budget={budget} unit={unit} editing={editing} onEdit={setEditing} allowed={may(row, 'budget.set')} />
  return (
    <section className="flex flex-col gap-3">
      {budget ? (
        <>
          <div className="flex flex-wrap gap-1.5 empty:hidden">
            <Marks budget={budget} overrides={overridesShare(row, parentOf(row, rows))} unit={unit} />
          </div>
          <Used state={budget.state} name={row.name}>
            {limit}
          </Used>
          <p className="text-muted">
            {isManual(budget.state)
              ? t('{{held}} held by running calls. Renews by hand.', { held: money(budget.state.held, unit) })
              : t('{{held}} held by running calls. Renews on {{day}}.', { held: money(budget.state.held, unit), day: dayIn(budget.state.endsAt, zone) })}{' '}
            {statements}
          </p>
          <Increases budget={budget} unit={unit} allowed={may(row, 'budget.set')} />
          <BudgetControls budgetId={budget.id} name={row.name} more={<More row={row} rows={rows} onAct={(act) => acts.start(act, row)} />}>
            <Acts row={row} rows={rows} onAct={(act) => acts.start(act, row)} />
          </BudgetControls>
        </>
      ) : (
        <p className="text-muted">
          {t('Only the budgets above limit it.')} {limit}
          {actsOn(row, rows).ask && (
            <Button size="sm" className="mt-2 flex" onClick={() => acts.start('ask', row)}>
              <HandCoins aria-hidden /> {t('Request more')}
            </Button>
          )}
        </p>
      )}
      {acts.dialog}
    </section>
  )
}

type ActsProps = { row: Row; rows: readonly Row[]; onAct: (act: Act) => void }

/** The row's actions, where there is no row beside to hold them. */
function Acts({ row, rows, onAct }: ActsProps) {
  const can = actsOn(row, rows)
  return (
    <>
      {can.ask && (
        <Button size="sm" onClick={() => onAct('ask')}>
          <HandCoins aria-hidden /> {t('Request more')}
        </Button>
      )}
      {can.raise && (
        <Button size="sm" onClick={() => onAct('raise')}>
          <TrendingUp aria-hidden /> {t('Raise for a while')}
        </Button>
      )}
      {can.share && (
        <Button size="sm" onClick={() => onAct('share')}>
          <Equal aria-hidden /> {t('Share out')}
        </Button>
      )}
      {can.settings && (
        <Button size="sm" onClick={() => onAct('settings')}>
          <SlidersHorizontal aria-hidden /> {t('Settings')}
        </Button>
      )}
    </>
  )
}

/** What is done seldom, behind one button. */
function More({ row, rows, onAct }: ActsProps) {
  const can = actsOn(row, rows)
  const overrides = overridesShare(row, parentOf(row, rows))
  if (!can.move && !can.remove) return null
  return (
    <Menu
      trigger={
        <Button size="sm" variant="ghost" className="px-2" aria-label={t('More actions')}>
          <Ellipsis aria-hidden />
        </Button>
      }
    >
      {can.move && (
        <MenuItem onClick={() => onAct('move')}>
          <ArrowRightLeft aria-hidden /> {t('Move budget')}
        </MenuItem>
      )}
      {can.remove && (
        <MenuItem danger={!overrides} onClick={() => onAct('remove')}>
          <Undo2 aria-hidden /> {removeWords(row, overrides)}
        </MenuItem>
      )}
    </Menu>
  )
}

// A cycle that is renewed by hand ends at the end of time.
const isManual = (state: { endsAt: string }) => new Date(state.endsAt).getUTCFullYear() === 9999
