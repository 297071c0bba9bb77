import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'

type Part = { id: string; name: string; values: readonly number[]; /** All others together, in grey. */ rest?: boolean }

type Props = {
  starts: readonly string[]
  /** Largest first, at most eight beside the rest. */
  parts: readonly Part[]
  xLabel: (x: string) => string
  yLabel: (y: number) => string
  /** The chart in a sentence; a table has the numbers. */
  label: string
}

export const colour = (i: number, rest?: boolean) => (rest ? 'var(--line-strong)' : `var(--c${(i % 8) + 1})`)

/** Parts of a whole over time, with a legend. Import it lazily: it brings the chart library. */
export default function StackedChart({ starts, parts, xLabel, yLabel, label }: Props) {
  const tick = { fontSize: 11, fill: 'var(--muted)' }
  const data = starts.map((x, i) => ({ x, ...Object.fromEntries(parts.map((p, k) => [`p${k}`, p.values[i] ?? 0])) }))
  return (
    <figure>
      <div role="img" aria-label={label}>
        <ResponsiveContainer width="100%" height={224} aria-hidden>
          <BarChart data={data} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false} stackOffset="sign">
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis dataKey="x" tickFormatter={xLabel} tick={tick} axisLine={false} tickLine={false} minTickGap={36} />
            <YAxis width={52} tick={tick} axisLine={false} tickLine={false} tickFormatter={yLabel} />
            <Tooltip isAnimationActive={false} cursor={{ fill: 'var(--hover)' }} content={<Tip parts={parts} xLabel={xLabel} yLabel={yLabel} />} />
            {parts.map((p, k) => (
              <Bar key={p.id} dataKey={`p${k}`} stackId="all" fill={colour(k, p.rest)} stroke="var(--surface)" strokeWidth={0.5} isAnimationActive={false} maxBarSize={36} />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
      <figcaption>
        <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 px-1 text-xs">
          {parts.map((p, k) => (
            <li key={p.id} className="flex min-w-0 items-center gap-1.5">
              <span aria-hidden className="size-2.5 shrink-0 rounded-[3px]" style={{ background: colour(k, p.rest) }} />
              <span className="max-w-40 truncate">{p.name}</span>
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  )
}

type TipProps = Pick<Props, 'parts' | 'xLabel' | 'yLabel'> & { active?: boolean; payload?: readonly { payload?: Record<string, number | string> }[] }

/** Recharts fills in what is under the pointer. */
function Tip({ active, payload, parts, xLabel, yLabel }: TipProps) {
  const bar = active ? payload?.[0]?.payload : undefined
  if (!bar) return null
  const there = parts.map((p, k) => ({ ...p, k, value: Number(bar[`p${k}`]) })).filter((p) => p.value !== 0)
  return (
    <div className="rounded-md border border-line bg-raised px-2.5 py-1.5 text-xs shadow-lg">
      <p className="flex justify-between gap-6 text-muted">
        {xLabel(String(bar.x))} <span className="num font-semibold text-fg">{yLabel(there.reduce((sum, p) => sum + p.value, 0))}</span>
      </p>
      {there.map((p) => (
        <p key={p.id} className="flex items-center gap-1.5">
          <span aria-hidden className="size-2 rounded-[2px]" style={{ background: colour(p.k, p.rest) }} />
          <span className="max-w-40 grow truncate">{p.name}</span>
          <span className="num ps-4">{yLabel(p.value)}</span>
        </p>
      ))}
    </div>
  )
}
