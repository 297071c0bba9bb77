import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { cx } from '@/kit/cx'
import { tickMoney, ticks } from '@/lib/format'
import { t } from '@/lib/i18n'
import { cumulative, totals } from './cumulative'
import { scaleOf } from './scale'
import { burnSentence } from './sentence'

type Day = { day: string; amount: string }
type Props = { state: StatePartsFragment; series: readonly Day[]; previous?: readonly Day[]; /** In percent of the limit, as the budget has them. */ thresholds: readonly number[] }
type Point = readonly [x: number, y: number]

const none: readonly Day[] = []

const line = (points: readonly Point[]) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${(x * 100).toFixed(2)} ${(y * 100).toFixed(2)}`).join('')

/** Area so far, dashed forecast with its band, the limit, alert thresholds, and the cycle before as a ghost. */
export function BurnChart({ state, series, previous = none, thresholds }: Props) {
  const now = Math.min(1, Math.max(0, state.elapsedPercent / 100))
  const values = cumulative(series, state.spent)
  const spent = values.at(-1)!
  const limit = Number(state.limit)
  const [forecast, low, high] = [state.forecast, state.forecastLow, state.forecastHigh].map((n) => Math.max(Number(n), spent)) as [number, number, number]
  const before = totals(previous)
  const { top, steps } = scaleOf(Math.max(limit, high, ...before))
  const y = (v: number) => 1 - v / top
  // Days end where they do: the first one of a cycle is short where the account's midnight isn't that of UTC.
  const [begin, end] = [Date.parse(state.startsAt), Date.parse(state.endsAt)]
  const x = (i: number) => (i === values.length - 1 ? now : i === 0 ? 0 : Math.min(now, (Date.parse(series[i - 1]!.day) + 86_400_000 - begin) / (end - begin)))
  const so = values.map((v, i): Point => [x(i), y(v)])
  const ghost = before.length > 2 ? before.map((v, i): Point => [i / (before.length - 1), y(v)]) : []
  const here: Point = [now, y(spent)]
  const alarming = state.status !== 'OK' && state.status !== 'PACE_HIGH'
  const shape = { vectorEffect: 'non-scaling-stroke' as const, fill: 'none' }
  return (
    <figure>
      <div role="img" aria-label={burnSentence(state)} className="num text-[11px] text-muted">
        <div className="flex">
          <div aria-hidden className="relative h-44 w-12 shrink-0">
            {steps.map((v) => (
              <span key={v} className="absolute end-2 -translate-y-1/2 whitespace-nowrap" style={{ top: `${y(v) * 100}%` }}>
                {tickMoney(v, state.unit)}
              </span>
            ))}
          </div>
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden className="h-44 min-w-0 grow overflow-visible">
            {steps.map((v) => (
              <line key={v} x1={0} x2={100} y1={y(v) * 100} y2={y(v) * 100} {...shape} className="stroke-line" />
            ))}
            {ghost.length > 0 && <path d={line(ghost)} {...shape} strokeWidth={1.3} className="stroke-muted/60" />}
            {now < 1 && <path d={`${line([here, [1, y(high)], [1, y(low)]])}Z`} className={alarming ? 'fill-bad/15' : 'fill-accent/15'} />}
            <path d={`${line(so)}L${now * 100} 100L0 100Z`} className="fill-accent/15" />
            <path d={line(so)} {...shape} strokeWidth={2} className="stroke-accent" />
            {now < 1 && <path d={line([here, [1, y(forecast)]])} {...shape} strokeWidth={1.6} strokeDasharray="4 4" className={alarming ? 'stroke-bad' : 'stroke-accent'} />}
            {limit > 0 && thresholds.filter((p) => p < 100).map((p) => <line key={p} x1={0} x2={100} y1={y((limit * p) / 100) * 100} y2={y((limit * p) / 100) * 100} {...shape} strokeDasharray="1 4" className="stroke-line-strong" />)}
            <line x1={0} x2={100} y1={y(limit) * 100} y2={y(limit) * 100} {...shape} strokeDasharray="2 3" className="stroke-bad" />
          </svg>
        </div>
        <div aria-hidden className="ms-12 mt-1 flex justify-between">
          {ticks(state.startsAt, state.endsAt).map((tick, i) => (
            <span key={tick.at} className={cx(i % 2 === 1 && 'max-sm:hidden')}>
              {tick.label}
            </span>
          ))}
        </div>
      </div>
      <figcaption aria-hidden className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        <Key look="h-0.5 bg-accent">{t('So far')}</Key>
        <Key look={alarming ? 'h-2 bg-bad/25' : 'h-2 bg-accent/25'}>{t('Forecast, four of five cases')}</Key>
        <Key look="h-0.5 bg-bad">{t('Limit')}</Key>
        {ghost.length > 0 && <Key look="h-0.5 bg-muted/60">{t('Cycle before')}</Key>}
      </figcaption>
    </figure>
  )
}

function Key({ look, children }: { look: string; children: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className={cx('inline-block w-3 rounded-full', look)} /> {children}
    </span>
  )
}
