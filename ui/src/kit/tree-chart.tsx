import { ResponsiveContainer, Tooltip, Treemap } from 'recharts'
import type { Way } from './flow-chart'

type Props = {
  ways: readonly Way[]
  format: (amount: number) => string
  /** The chart in a sentence; a table has the numbers. */
  label: string
}

/** Ways as areas, those of one beginning side by side in its colour. Import it lazily: it brings the chart library. */
export default function TreeChart({ ways, format, label }: Props) {
  const firsts = [...new Set(ways.map((w) => w.ids[0]))]
  const data = firsts
    .map((first, i) => ({
      name: ways.find((w) => w.ids[0] === first)!.path[0]!,
      children: ways.filter((w) => w.ids[0] === first && w.amount > 0).map((w) => ({ name: w.path.slice(1).join(' · '), of: w.path[0]!, size: w.amount, colour: `var(--c${(i % 8) + 1})` })),
    }))
    .filter((d) => d.children.length > 0)
  return (
    <figure role="img" aria-label={label}>
      <div aria-hidden>
        <ResponsiveContainer width="100%" height={340}>
          <Treemap data={data} dataKey="size" nameKey="name" isAnimationActive={false} content={<Area format={format} />}>
            <Tooltip isAnimationActive={false} content={<Tip format={format} />} />
          </Treemap>
        </ResponsiveContainer>
      </div>
      <figcaption>
        <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
          {data.map((d) => (
            <li key={d.name} className="flex items-center gap-1.5">
              <span aria-hidden className="size-2.5 rounded-[3px]" style={{ background: d.children[0]!.colour }} />
              {d.name}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  )
}

type AreaProps = { format: (v: number) => string; x?: number; y?: number; width?: number; height?: number; name?: string; size?: number; colour?: string }

/** Recharts fills in where it lies. */
function Area({ format, x = 0, y = 0, width = 0, height = 0, name = '', size, colour }: AreaProps) {
  if (!colour || size === undefined) return null // what holds areas
  const room = Math.floor((width - 12) / 6.4)
  const text = name.length > room ? `${name.slice(0, Math.max(room - 1, 0))}…` : name
  return (
    <g>
      <rect x={x} y={y} width={width} height={height} rx={3} strokeWidth={2} style={{ fill: `color-mix(in oklab, ${colour} 24%, var(--surface))`, stroke: 'var(--surface)' }} />
      <rect x={x + 1} y={y + 1} width={3} height={Math.max(height - 2, 0)} style={{ fill: colour }} />
      {width > 64 && height > 34 && (
        <>
          <text x={x + 9} y={y + 16} fontSize={11.5} style={{ fill: 'var(--fg)' }}>
            {text}
          </text>
          <text x={x + 9} y={y + 30} fontSize={11} style={{ fill: 'var(--muted)' }}>
            {format(size)}
          </text>
        </>
      )}
    </g>
  )
}

type TipProps = { format: (v: number) => string; active?: boolean; payload?: readonly { payload?: { name?: string; of?: string; size?: number } }[] }

function Tip({ active, payload, format }: TipProps) {
  const area = active ? payload?.[0]?.payload : undefined
  if (area?.size === undefined) return null
  return (
    <div className="rounded-md border border-line bg-raised px-2.5 py-1.5 text-xs shadow-lg">
      <p className="text-muted">{[area.of, area.name].filter(Boolean).join(' · ')}</p>
      <p className="num font-semibold">{format(area.size)}</p>
    </div>
  )
}
