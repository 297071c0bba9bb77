import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { Sparkline } from '@/kit/sparkline'
import { UsedBar } from '@/kit/used-bar'
import { cx } from '@/kit/cx'
import { money, percent } from '@/lib/format'
import { t } from '@/lib/i18n'
import { cumulative } from '@/features/burn'
import { outlook, Sign, tone } from './outlook'

const loud = { ok: '', high: 'text-warn', warn: 'text-warn', bad: 'text-bad' }

type Props = { state: StatePartsFragment; name: string; children?: React.ReactNode }

/** Spent of limit, with the bar; `children` stands for the limit where it can be edited. */
export function Used({ state, name, children }: Props) {
  return (
    <div className="min-w-0">
      <div className="num mb-1 flex items-baseline justify-between gap-2 [&:has(form)>span:last-child]:hidden">
        <span className="flex min-w-0 items-baseline gap-1 whitespace-nowrap">
          <span className="font-semibold">{money(state.spent, state.unit)}</span> <span className="text-muted">{t('of')}</span> {children ?? <span className="text-muted">{money(state.limit, state.unit)}</span>}
          {children !== undefined && /[1-9]/.test(state.carried) && (
            <span className="text-muted max-md:hidden" title={t('Carried over from the cycle before')}>
              + {money(state.carried, state.unit)}
            </span>
          )}
        </span>{' '}
        <span className={cx('whitespace-nowrap text-muted', tone[state.status] === 'bad' && 'font-medium text-bad')}>
          <Sign spoken state={state} className={cx('me-1 inline size-3.5 align-[-0.125em] md:hidden', loud[tone[state.status]])} />
          {percent(state.usedPercent)}
        </span>
      </div>
      <UsedBar used={state.usedPercent} elapsed={state.elapsedPercent} tone={tone[state.status]} label={t('Budget of {{name}}', { name })} />
    </div>
  )
}

type Day = { amount: string }

export function Burn({ state, series, name }: { state: StatePartsFragment; series: readonly Day[]; name: string }) {
  return (
    <Sparkline
      values={cumulative(series, state.spent)}
      elapsed={state.elapsedPercent / 100}
      forecast={Number(state.forecast)}
      limit={Number(state.limit)}
      alarming={tone[state.status] === 'warn' || tone[state.status] === 'bad'}
      label={t('{{name}}: {{outlook}}', { name, outlook: outlook(state) })}
    />
  )
}
