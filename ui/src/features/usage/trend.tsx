const W = 104
const H = 24

/** How an amount went over time, as bars; its numbers stand in the table over time. */
export function Trend({ values }: { values: readonly number[] }) {
  const top = Math.max(...values, 0)
  if (top <= 0) return null
  const step = W / values.length
  const bar = Math.max(0.75, step - (step > 3 ? 1 : 0.25))
  return (
    <svg viewBox={`0 0 ${W} ${H}`} width={W} height={H} aria-hidden className="block">
      <line x1={0} x2={W} y1={H - 0.5} y2={H - 0.5} className="stroke-line" />
      {values.map((v, i) => {
        const height = v > 0 ? Math.max(1.5, (v / top) * (H - 2)) : 0
        return <rect key={i} x={i * step} y={H - 1 - height} width={bar} height={height} className="fill-accent" />
      })}
    </svg>
  )
}
