import { Area, CartesianGrid, ComposedChart, Line, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts'
import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { tickMoney, day, moneyWords } from '@/lib/format'
import { t } from '@/lib/i18n'
import { outlook, tone } from './outlook'
import { cumulative } from './used'

type Props = { state: StatePartsFragment; series: readonly { amount: string }[] }

/** Area so far, dashed forecast, limit line; the sentence says the same. */
export default function BurnChart({ state, series }: Props) {
  const start = new Date(state.startsAt).getTime()
  const end = new Date(state.endsAt).getTime()
  const now = start + ((end - start) * state.elapsedPercent) / 100
  const values = cumulative(series, state.spent)
  const step = (now - start) / (values.length - 1)
  const points: { at: number; spent?: number; forecast?: number }[] = values.map((spent, i) => ({ at: start + i * step, spent }))
  points[points.length - 1]!.forecast = values.at(-1)
  points.push({ at: end, forecast: Math.max(Number(state.forecast), values.at(-1)!) })
  const alarming = tone[state.status] !== 'ok'
  const tick = { fontSize: 11, fill: 'var(--muted)' }
  return (
    <figure aria-label={t('{{spent}} of {{limit}}. {{outlook}}.', { spent: moneyWords(state.spent, state.unit), limit: moneyWords(state.limit, state.unit), outlook: outlook(state) })} role="img">
      <ResponsiveContainer width="100%" height={176} aria-hidden>
        <ComposedChart data={points} margin={{ top: 8, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="at" type="number" domain={[start, end]} tickCount={4} tickFormatter={(at: number) => day(new Date(at))} tick={tick} axisLine={false} tickLine={false} minTickGap={40} />
          <YAxis width={48} tick={tick} axisLine={false} tickLine={false} tickFormatter={(v: number) => tickMoney(v, state.unit)} domain={[0, 'auto']} />
          <Area dataKey="spent" stroke="var(--accent)" strokeWidth={2} fill="var(--accent)" fillOpacity={0.14} isAnimationActive={false} dot={false} type="linear" />
          <Line dataKey="forecast" stroke={alarming ? 'var(--bad)' : 'var(--accent)'} strokeWidth={1.6} strokeDasharray="4 4" isAnimationActive={false} dot={false} />
          <ReferenceLine y={Number(state.limit)} ifOverflow="extendDomain" stroke="var(--bad)" strokeDasharray="2 3" />
        </ComposedChart>
      </ResponsiveContainer>
    </figure>
  )
}
