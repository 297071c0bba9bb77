import { type KeyboardEvent, type PointerEvent, useState } from 'react'
import type { HistogramPartsFragment } from '@/graphql/generated/graphql'
import { Card } from '@/kit/card'
import { count, period, ticks } from '@/lib/format'
import { t } from '@/lib/i18n'
import { barAt, between, sum } from './span'

type Props = { data: HistogramPartsFragment; onNarrow: (range: { from: string; to: string }) => void }

const H = 64

/** How much happened when, refusals on top in red. A click, a drag or the arrow keys choose a part of it. */
export function Histogram({ data, onNarrow }: Props) {
  const n = data.buckets.length
  const [mark, setMark] = useState<{ anchor: number; at: number; drawing: boolean }>()
  if (n === 0) return null
  const highest = Math.max(1, ...data.buckets.map((b) => b.done + b.refused))
  const whole = sum(data, 0, n - 1)
  const chosen = mark && { ...between(data, mark.anchor, mark.at), ...sum(data, mark.anchor, mark.at) }
  const [low, high] = mark ? [Math.min(mark.anchor, mark.at), Math.max(mark.anchor, mark.at)] : [-1, -1]

  const under = (e: PointerEvent<HTMLElement>) => {
    const box = e.currentTarget.getBoundingClientRect()
    return barAt((e.clientX - box.left) / box.width, n)
  }
  const move = (e: PointerEvent<HTMLElement>) => {
    const at = under(e)
    setMark((was) => (was?.drawing ? { ...was, at } : { anchor: at, at, drawing: false }))
  }
  const press = (e: KeyboardEvent) => {
    const now = mark ?? { anchor: n - 1, at: n - 1, drawing: false }
    const go = (at: number) => {
      e.preventDefault()
      setMark({ anchor: e.shiftKey ? now.anchor : at, at, drawing: false })
    }
    if (e.key === 'ArrowLeft') go(Math.max(0, mark ? now.at - 1 : now.at))
    else if (e.key === 'ArrowRight') go(Math.min(n - 1, mark ? now.at + 1 : now.at))
    else if (e.key === 'Home') go(0)
    else if (e.key === 'End') go(n - 1)
    else if ((e.key === 'Enter' || e.key === ' ') && chosen) {
      e.preventDefault()
      onNarrow({ from: chosen.from, to: chosen.to })
      setMark(undefined)
    } else if (e.key === 'Escape') setMark(undefined)
  }
  const told = chosen ?? whole
  const said = [t('{{count}} events', { count: told.done + told.refused }), told.refused > 0 && t('{{count}} refused', { count: told.refused })].filter(Boolean).join(', ')

  return (
    <Card className="mb-4 px-4 pt-3 pb-2.5">
      <div className="mb-2 flex min-h-5 flex-wrap items-baseline justify-between gap-x-4 text-xs">
        <p className="num">
          <span className="font-medium">{said}</span> <span className="text-muted">{chosen ? period(chosen.from, chosen.to) : period(data.from, data.to)}</span>
        </p>
        <p className="text-muted max-sm:hidden">{t('Click or drag to narrow the range; with the keyboard: arrows, Shift, Enter.')}</p>
      </div>
      <div
        role="slider"
        tabIndex={0}
        aria-label={t('When it happened')}
        aria-valuemin={1}
        aria-valuemax={n}
        aria-valuenow={(mark?.at ?? n - 1) + 1}
        aria-valuetext={`${period(told === whole ? data.from : chosen!.from, told === whole ? data.to : chosen!.to)}: ${said}`}
        className="cursor-crosshair touch-none rounded-sm"
        onKeyDown={press}
        onPointerMove={move}
        onPointerLeave={() => setMark((was) => (was?.drawing ? was : undefined))}
        onBlur={() => setMark(undefined)}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId)
          const at = under(e)
          setMark({ anchor: at, at, drawing: true })
        }}
        onPointerUp={() => {
          if (mark?.drawing && chosen) onNarrow(chosen)
          setMark(undefined)
        }}
        onPointerCancel={() => setMark(undefined)}
      >
        <svg viewBox={`0 0 ${n * 10} ${H}`} preserveAspectRatio="none" aria-hidden className="block h-16 w-full">
          {data.buckets.map((b, i) => {
            const done = height(b.done, highest)
            const refused = height(b.refused, highest)
            const marked = i >= low && i <= high
            return (
              <g key={b.from}>
                {marked && <rect x={i * 10} y={0} width={10} height={H} className="fill-hover" />}
                {done > 0 && <rect x={i * 10 + 1.2} y={H - done} width={7.6} height={done} className={marked ? 'fill-accent' : 'fill-accent/45'} />}
                {refused > 0 && <rect x={i * 10 + 1.2} y={H - done - refused} width={7.6} height={refused} className="fill-bad" />}
              </g>
            )
          })}
          <rect x={0} y={H - 0.6} width={n * 10} height={0.6} className="fill-line" />
        </svg>
      </div>
      <div aria-hidden className="num mt-1 flex justify-between text-xs text-muted">
        {ticks(data.from, data.to).map(({ at, label }) => (
          <span key={at} className={at % 0.5 ? 'max-sm:hidden' : undefined}>
            {label}
          </span>
        ))}
      </div>
      <p className="sr-only">{t('Of {{all}} events {{refused}} were refused or went wrong.', { all: count(whole.done + whole.refused), refused: count(whole.refused) })}</p>
    </Card>
  )
}

// What isn't nothing can be seen.
const height = (events: number, highest: number) => (events === 0 ? 0 : Math.max(2.5, (events / highest) * (H - 4)))
