import { Area, CartesianGrid, ComposedChart, Line, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts'
import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { day, tickMoney } from '@/lib/format'
import { t } from '@/lib/i18n'
import { cumulative, totals } from './cumulative'
import { burnSentence } from './sentence'

type Day = { amount: string }
type Props = { state: StatePartsFragment; series: readonly Day[]; previous?: readonly Day[]; thresholds?: readonly number[] }
type Point = { at: number; spent?: number; forecast?: number; band?: [number, number]; ghost?: number }

const none: readonly Day[] = []
const defaults = [80, 95]

/** Area so far, dashed forecast with its band, the limit, alert thresholds, and the cycle before as a ghost. */
export default function BurnChart({ state, series, previous = none, thresholds = defaults }: Props) {
  const start = new Date(state.startsAt).getTime()
  const end = new Date(state.endsAt).getTime()
  const now = start + ((end - start) * state.elapsedPercent) / 100
  const values = cumulative(series, state.spent)
  const step = (now - start) / (values.length - 1)
  const spent = values.at(-1)!
  const points: Point[] = values.map((spent, i) => ({ at: start + i * step, spent }))
  Object.assign(points.at(-1)!, { forecast: spent, band: [spent, spent] })
  points.push({ at: end, forecast: Math.max(Number(state.forecast), spent), band: [Number(state.forecastLow), Number(state.forecastHigh)] })
  const before = totals(previous)
  const ghosts: Point[] = before.length > 2 ? before.map((ghost, i) => ({ at: start + ((end - start) * i) / (before.length - 1), ghost })) : []
  const data = [...points, ...ghosts].toSorted((a, b) => a.at - b.at)
  const alarming = state.status !== 'OK' && state.status !== 'PACE_HIGH'
  const limit = Number(state.limit)
  const tick = { fontSize: 11, fill: 'var(--muted)' }
  const ahead = alarming ? 'var(--bad)' : 'var(--accent)'
  return (
    <figure>
      <div role="img" aria-label={burnSentence(state)}>
        <ResponsiveContainer width="100%" height={200} aria-hidden>
          <ComposedChart data={data} margin={{ top: 8, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis dataKey="at" type="number" domain={[start, end]} tickCount={4} tickFormatter={(at: number) => day(new Date(at))} tick={tick} axisLine={false} tickLine={false} minTickGap={40} />
            <YAxis width={48} tick={tick} axisLine={false} tickLine={false} tickFormatter={(v: number) => tickMoney(v, state.unit)} domain={[0, 'auto']} />
            {ghosts.length > 0 && <Line dataKey="ghost" stroke="var(--muted)" strokeOpacity={0.55} strokeWidth={1.3} isAnimationActive={false} dot={false} connectNulls type="linear" />}
            <Area dataKey="band" stroke="none" fill={ahead} fillOpacity={0.16} isAnimationActive={false} dot={false} activeDot={false} connectNulls type="linear" />
            <Area dataKey="spent" stroke="var(--accent)" strokeWidth={2} fill="var(--accent)" fillOpacity={0.14} isAnimationActive={false} dot={false} connectNulls type="linear" />
            <Line dataKey="forecast" stroke={ahead} strokeWidth={1.6} strokeDasharray="4 4" isAnimationActive={false} dot={false} connectNulls type="linear" />
            {limit > 0 && thresholds.filter((p) => p < 100).map((p) => <ReferenceLine key={p} y={(limit * p) / 100} stroke="var(--line-strong)" strokeDasharray="1 4" />)}
            <ReferenceLine y={limit} ifOverflow="extendDomain" stroke="var(--bad)" strokeDasharray="2 3" />
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      <figcaption aria-hidden className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        <Key line="bg-accent">{t('So far')}</Key>
        <Key line={alarming ? 'bg-bad/70' : 'bg-accent/60'} wide>
          {t('Forecast, four of five cases')}
        </Key>
        <Key line="bg-bad">{t('Limit')}</Key>
        {ghosts.length > 0 && <Key line="bg-muted/60">{t('Cycle before')}</Key>}
      </figcaption>
    </figure>
  )
}

function Key({ line, wide, children }: { line: string; wide?: boolean; children: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className={`inline-block w-3 rounded-full ${wide ? 'h-2' : 'h-0.5'} ${line}`} /> {children}
    </span>
  )
}
