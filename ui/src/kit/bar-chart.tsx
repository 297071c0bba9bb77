import { Bar, BarChart as Base, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'

type Props = {
  bars: readonly { x: string; y: number }[]
  xLabel: (x: string) => string
  yLabel: (y: number) => string
  /** The chart in a sentence; the table beside it has the numbers. */
  label: string
}

/** Bars over time. Import it lazily: it brings the chart library. */
export default function BarChart({ bars, xLabel, yLabel, label }: Props) {
  const tick = { fontSize: 11, fill: 'var(--muted)' }
  return (
    <figure role="img" aria-label={label}>
      <ResponsiveContainer width="100%" height={208} aria-hidden>
        <Base data={[...bars]} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="x" tickFormatter={xLabel} tick={tick} axisLine={false} tickLine={false} minTickGap={36} />
          <YAxis width={52} tick={tick} axisLine={false} tickLine={false} tickFormatter={yLabel} />
          <Tooltip
            isAnimationActive={false}
            cursor={{ fill: 'var(--hover)' }}
            content={<Tip xLabel={xLabel} yLabel={yLabel} />}
          />
          <Bar dataKey="y" fill="var(--accent)" radius={[3, 3, 0, 0]} isAnimationActive={false} maxBarSize={36} />
        </Base>
      </ResponsiveContainer>
    </figure>
  )
}

type TipProps = Pick<Props, 'xLabel' | 'yLabel'> & { active?: boolean; payload?: readonly { payload?: { x: string; y: number } }[] }

/** Recharts fills in what is under the pointer. */
function Tip({ active, payload, xLabel, yLabel }: TipProps) {
  const bar = active ? payload?.[0]?.payload : undefined
  if (!bar) return null
  return (
    <div className="rounded-md border border-line bg-raised px-2.5 py-1.5 text-xs shadow-lg">
      <p className="text-muted">{xLabel(bar.x)}</p>
      <p className="num font-semibold">{yLabel(bar.y)}</p>
    </div>
  )
}
