import { useState } from 'react'
import { type CycleRule, type ScopeRowFragment } from '@/graphql/generated/graphql'
import { Card, CardHead } from '@/kit/card'
import { Facts } from '@/kit/facts'
import { Tabs } from '@/kit/tabs'
import { cycle, moneyWords, ordinal, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { BurnPicture } from '@/features/burn'
import { History } from './history'
import { BudgetPanel } from './panel'
import { isZero } from './plan'
import { alone } from './tree'
import { Why } from './why'
import { useAccountZone } from './zone'

type Props = { root: ScopeRowFragment; unit: Unit; previous: Parameters<typeof BurnPicture>[0]['previous']; title: string; note: string; /** What stands beside its title. */ children?: React.ReactNode }

const rhythm: Record<CycleRule, (day: number) => string> = {
  MONTHLY: (day) => t('Every month, on the {{day}}', { day: ordinal(day) }),
  QUARTERLY: (day) => t('Every three months, on the {{day}}', { day: ordinal(day) }),
  YEARLY: (day) => t('Every year, on {{day}} January', { day }),
  MANUAL: () => t('By hand'),
}

/** A plane's pool as whoever fills it runs it: all but who spends it. */
export function Pool({ root, unit, previous, title, note, children }: Props) {
  const zone = useAccountZone()
  const [tab, setTab] = useState<'why' | 'history'>('why')
  const budget = root.budget!
  return (
    <div className="flex flex-col gap-4">
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Card>
          <CardHead title={title} note={note}>
            {children}
          </CardHead>
          <div className="flex flex-col gap-4 px-4 pb-4">
            <BudgetPanel row={alone(root)} rows={[]} unit={unit} />
            <Facts
              className="grid-cols-[9rem_1fr] border-t border-line pt-4"
              facts={[
                [t('This cycle'), cycle(budget.state.startsAt, budget.state.endsAt, zone)],
                [t('Renews'), `${rhythm[budget.cycle](budget.cycleDay ?? 1)}${budget.cycle === 'MANUAL' ? '' : `, ${t('at midnight in {{zone}}', { zone })}`}`],
                [t('Carried over'), isZero(budget.rolloverCap) ? t('Nothing') : t('What is left, {{amount}} at most', { amount: moneyWords(budget.rolloverCap, unit) })],
                [t('At the limit'), isZero(budget.overflow) ? t('Calls are refused') : t('{{amount}} more, then calls are refused', { amount: moneyWords(budget.overflow, unit) })],
                [t('Admins are told at'), budget.thresholds.map((n) => `${n}%`).join(', ')],
              ]}
            />
          </div>
        </Card>
        <Card>
          <CardHead title={t('Burn')} note={t('What is spent of this cycle, and where it leads')} />
          <div className="px-4 pb-4">
            <BurnPicture state={budget.state} series={budget.series} previous={previous} thresholds={budget.thresholds} />
          </div>
        </Card>
      </div>
      <Card className="px-4 pt-2 pb-4">
        <Tabs
          label={t('About this budget')}
          value={tab}
          onChange={setTab}
          tabs={[
            { value: 'why', label: t('Where it comes from'), content: <div className="max-w-2xl"><Why id={root.id} unit={unit} /></div> },
            { value: 'history', label: t('History'), content: <div className="max-w-2xl"><History budgetId={budget.id} unit={unit} /></div> },
          ]}
        />
      </Card>
    </div>
  )
}
