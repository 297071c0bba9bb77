type Props = {
  /** Cumulative values, oldest first; the last is now. */
  values: number[]
  /** Share of the period gone by, 0–1: where the last value stands. */
  elapsed: number
  forecast: number
  limit: number
  /** The forecast passes the limit. */
  alarming: boolean
  label: string
}

const W = 150
const H = 32

/** Spend so far, the forecast dashed, the limit dotted. */
export function Sparkline({ values, elapsed, forecast, limit, alarming, label }: Props) {
  const top = Math.max(limit, forecast, ...values, 1e-9) * 1.06
  const y = (v: number) => H - 2 - (v / top) * (H - 4)
  const now = Math.max(Math.min(elapsed, 1), 0.02) * W
  const step = values.length > 1 ? now / (values.length - 1) : now
  const points = values.map((v, i) => `${(i * step).toFixed(1)},${y(v).toFixed(1)}`).join(' ')
  const last = values.at(-1) ?? 0
  return (
    <svg viewBox={`0 0 ${W} ${H}`} width={W} height={H} role="img" aria-label={label} className="overflow-visible">
      <line x1={0} x2={W} y1={y(limit)} y2={y(limit)} className="stroke-bad" strokeWidth={1.2} strokeDasharray="1.5 3" />
      <polyline points={points} fill="none" className="stroke-accent" strokeWidth={1.5} strokeLinejoin="round" strokeLinecap="round" />
      <line x1={now} y1={y(last)} x2={W} y2={y(Math.max(forecast, last))} className={alarming ? 'stroke-bad' : 'stroke-accent'} strokeWidth={1.5} strokeDasharray="3 3" />
      <circle cx={now} cy={y(last)} r={2.4} className={alarming ? 'fill-bad' : 'fill-accent'} />
    </svg>
  )
}
