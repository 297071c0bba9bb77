import { t } from '@/lib/i18n'

export type Preset = '1h' | '24h' | '7d' | '30d' | '90d'

export const presets: readonly { value: Preset; label: string }[] = [
  { value: '1h', label: t('1 hour') },
  { value: '24h', label: t('24 hours') },
  { value: '7d', label: t('7 days') },
  { value: '30d', label: t('30 days') },
  { value: '90d', label: t('90 days') },
]

const MINUTE = 60_000
const HOUR = 60 * MINUTE

// How long, and how many bars.
const lengths: Record<Preset, readonly [ms: number, buckets: number]> = {
  '1h': [HOUR, 60],
  '24h': [24 * HOUR, 48],
  '7d': [7 * 24 * HOUR, 56],
  '30d': [30 * 24 * HOUR, 60],
  '90d': [90 * 24 * HOUR, 90],
}

const STANDARD: Preset = '30d'

/** A time range with its bars; `preset` is missing from one that was chosen by hand. */
export type Span = { from: string; to: string; buckets: number; preset?: Preset }

const time = (text: string | undefined) => {
  const ms = text ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** The range that the address names. Presets end with the running bar, so that what happens now has its place. */
export function spanOf(url: { range?: string; from?: string; to?: string }, now = new Date()): Span {
  const [from, to] = [time(url.from), time(url.to)]
  if (from !== undefined && to !== undefined && to > from) {
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), buckets: Math.max(1, Math.min(60, Math.floor((to - from) / 1000))) }
  }
  const preset = presets.find((p) => p.value === url.range)?.value ?? STANDARD
  const [ms, buckets] = lengths[preset]
  const step = ms / buckets
  const end = Math.floor(now.getTime() / step + 1) * step
  return { from: new Date(end - ms).toISOString(), to: new Date(end).toISOString(), buckets, preset }
}

type Bucket = { from: string; done: number; refused: number }

type Histogram = { to: string; buckets: readonly Bucket[] }

/** From the first to the last of some bars, whichever way they were drawn. */
export function between(h: Histogram, a: number, b: number): { from: string; to: string } {
  const [first, last] = a <= b ? [a, b] : [b, a]
  return { from: h.buckets[first]!.from, to: h.buckets[last + 1]?.from ?? h.to }
}

/** What happened in some bars, together. */
export function sum(h: Histogram, a: number, b: number): { done: number; refused: number } {
  const chosen = h.buckets.slice(Math.min(a, b), Math.max(a, b) + 1)
  return { done: chosen.reduce((n, x) => n + x.done, 0), refused: chosen.reduce((n, x) => n + x.refused, 0) }
}

/** Which bar lies under a share of the width. */
export const barAt = (share: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(share * count)))
