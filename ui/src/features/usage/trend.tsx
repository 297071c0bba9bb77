const W = 104
const H = 24

/** How an amount went over time, as bars; its numbers stand in the table over time. */
export function Trend({ values }: { values: readonly number[] }) {
  const top = Math.max(...values, 0)
  if (top <= 0) return null
  const step = W / values.length
  const width = Math.max(0.75, step - (step > 3 ? 1 : 0.25))
  const bar = (v: number, i: number) => {
    const height = Math.max(1.5, (v / top) * (H - 2))
    return `M${(i * step).toFixed(2)} ${H - 1}v${(-height).toFixed(2)}h${width.toFixed(2)}v${height.toFixed(2)}z`
  }
  return (
    <svg viewBox={`0 0 ${W} ${H}`} width={W} height={H} aria-hidden className="block">
      <line x1={0} x2={W} y1={H - 0.5} y2={H - 0.5} className="stroke-line" />
      <path d={values.map((v, i) => (v > 0 ? bar(v, i) : '')).join('')} className="fill-accent" />
    </svg>
  )
}
