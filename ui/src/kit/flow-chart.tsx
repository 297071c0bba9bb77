import { ResponsiveContainer, Sankey, Tooltip } from 'recharts'

export type Way = { path: readonly string[]; ids: readonly string[]; amount: number }

type Props = {
  /** Each from the first column to the last; all of one length. */
  ways: readonly Way[]
  format: (amount: number) => string
  /** The chart in a sentence; a table has the numbers. */
  label: string
}

type Node = { name: string; column: number; colour: string }

/** Ways that amounts take, column by column. Import it lazily: it brings the chart library. */
export default function FlowChart({ ways, format, label }: Props) {
  const there = ways.filter((w) => w.amount > 0)
  const nodes: Node[] = []
  const places = new Map<string, number>()
  const at = (w: Way, column: number) => {
    const key = `${column} ${w.ids[column]}`
    let place = places.get(key)
    if (place === undefined) {
      place = nodes.length
      places.set(key, place)
      const alike = nodes.filter((n) => n.column === column).length
      nodes.push({ name: w.path[column]!, column, colour: column === w.path.length - 1 ? 'var(--line-strong)' : `var(--c${((alike + 3 * column) % 8) + 1})` })
    }
    return place
  }
  const links = new Map<string, { source: number; target: number; value: number }>()
  for (const w of there) {
    for (let i = 1; i < w.path.length; i++) {
      const [source, target] = [at(w, i - 1), at(w, i)]
      const link = links.get(`${source} ${target}`) ?? { source, target, value: 0 }
      link.value += w.amount
      links.set(`${source} ${target}`, link)
    }
  }
  if (links.size === 0) return null
  const most = Math.max(...[0, 1, 2].map((c) => nodes.filter((n) => n.column === c).length))
  return (
    <figure role="img" aria-label={label} className="overflow-x-auto">
      <div className="min-w-[40rem]" aria-hidden>
        <ResponsiveContainer width="100%" height={Math.max(260, most * 34)}>
          <Sankey
            accessibilityLayer={false}
            data={{ nodes, links: [...links.values()] }}
            nodeWidth={10}
            nodePadding={14}
            iterations={64}
            margin={{ top: 8, right: 150, bottom: 8, left: 4 }}
            link={<Band nodes={nodes} />}
            node={<Block format={format} />}
          >
            <Tooltip isAnimationActive={false} content={<Tip format={format} />} />
          </Sankey>
        </ResponsiveContainer>
      </div>
    </figure>
  )
}

type BlockProps = { format: (v: number) => string; x?: number; y?: number; width?: number; height?: number; payload?: Node & { value: number } }

/** Recharts fills in where it lies. */
function Block({ format, x = 0, y = 0, width = 0, height = 0, payload }: BlockProps) {
  if (!payload) return null
  const name = payload.name.length > 22 ? `${payload.name.slice(0, 21)}…` : payload.name
  return (
    <g>
      <rect x={x} y={y} width={width} height={Math.max(height, 1)} rx={2} style={{ fill: payload.colour }} />
      <text x={x + width + 6} y={y + height / 2} dy="0.35em" fontSize={11.5} style={{ fill: 'var(--fg)', paintOrder: 'stroke', stroke: 'var(--surface)', strokeWidth: 3 }}>
        {name} <tspan style={{ fill: 'var(--muted)' }}>{format(payload.value)}</tspan>
      </text>
    </g>
  )
}

type BandProps = { nodes: readonly Node[]; sourceX?: number; targetX?: number; sourceY?: number; targetY?: number; sourceControlX?: number; targetControlX?: number; linkWidth?: number; payload?: { source: Node } }

function Band({ sourceX = 0, targetX = 0, sourceY = 0, targetY = 0, sourceControlX = 0, targetControlX = 0, linkWidth = 0, payload }: BandProps) {
  return (
    <path
      d={`M${sourceX},${sourceY}C${sourceControlX},${sourceY} ${targetControlX},${targetY} ${targetX},${targetY}`}
      fill="none"
      strokeWidth={Math.max(linkWidth, 1)}
      strokeOpacity={0.28}
      style={{ stroke: payload?.source.colour ?? 'var(--muted)' }}
    />
  )
}

type TipProps = { format: (v: number) => string; active?: boolean; payload?: readonly { payload?: { name?: string; value?: number; payload?: { name?: string; value?: number; source?: Node; target?: Node } } }[] }

function Tip({ active, payload, format }: TipProps) {
  const what = active ? payload?.[0]?.payload : undefined
  const of = what?.payload
  if (!what || !of) return null
  return (
    <div className="rounded-md border border-line bg-raised px-2.5 py-1.5 text-xs shadow-lg">
      <p className="text-muted">{of.source && of.target ? `${of.source.name} → ${of.target.name}` : of.name}</p>
      <p className="num font-semibold">{format(of.value ?? what.value ?? 0)}</p>
    </div>
  )
}
