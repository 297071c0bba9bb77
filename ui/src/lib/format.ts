import { language, t } from './i18n'

/** What an amount is counted in: US dollars in Console, credits in Copilot. */
export type Unit = 'USD' | 'CREDITS'

type Decimal = Intl.StringNumericLiteral

const cache = new Map<string, Intl.NumberFormat>()

function formatter(options: Intl.NumberFormatOptions) {
  const key = `${language()} ${JSON.stringify(options)}`
  let found = cache.get(key)
  if (!found) cache.set(key, (found = new Intl.NumberFormat(language(), options)))
  return found
}

/** An exact decimal string as money: "$12.50" or "1,250". Small dollar amounts keep the digits that tell them apart. */
export function money(amount: string, unit: Unit): string {
  if (unit === 'CREDITS') return formatter({ maximumFractionDigits: tiny(amount) ? 3 : 0 }).format(amount as Decimal)
  return formatter({ style: 'currency', currency: 'USD', maximumFractionDigits: tiny(amount) ? 6 : 2 }).format(amount as Decimal)
}

/** `money` with its unit in words where the sign doesn't say it: "1,250 credits". */
export const moneyWords = (amount: string, unit: Unit) => (unit === 'CREDITS' ? t('{{amount}} credits', { amount: money(amount, unit) }) : money(amount, unit))

/** For cards: "$1.2K". */
export const compactMoney = (amount: string, unit: Unit) => compact(amount, unit, 'auto')

/** For axes: as on cards, and whole amounts without cents. */
export const tickMoney = (amount: number, unit: Unit) => compact(String(amount), unit, 'stripIfInteger')

function compact(amount: string, unit: Unit, trailingZeroDisplay: 'auto' | 'stripIfInteger'): string {
  const base: Intl.NumberFormatOptions = unit === 'USD' ? { style: 'currency', currency: 'USD' } : {}
  const small = Math.abs(Number(amount)) < 1000
  const options = small ? { ...base, maximumFractionDigits: unit === 'USD' ? 2 : 0, trailingZeroDisplay } : { ...base, notation: 'compact' as const, maximumFractionDigits: 1 }
  return formatter(options).format(amount as Decimal)
}

/** An estimate in whole units: "$729"; below one unit with two digits that matter. */
export function about(amount: number, unit: Unit): string {
  const base: Intl.NumberFormatOptions = unit === 'USD' ? { style: 'currency', currency: 'USD' } : {}
  if (amount >= 1 || amount <= 0) return formatter({ ...base, maximumFractionDigits: 0 }).format(amount)
  return formatter({ ...base, ...(amount < 0.01 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 }) }).format(amount)
}

const tiny = (amount: string) => /^-?0?\.\d*[1-9]/.test(amount)

/** All digits as sent, for a price or an input field: "$0.15". */
export const exact = (amount: string, unit: Unit) =>
  formatter(unit === 'USD' ? { style: 'currency', currency: 'USD', maximumFractionDigits: 9 } : { maximumFractionDigits: 9 }).format(amount as Decimal)

export const count = (n: number) => formatter({}).format(n)

export const compactCount = (n: number) => formatter({ notation: 'compact', maximumFractionDigits: 1 }).format(n)

/** 64.5 → "65%"; what isn't nothing never reads as 0%. */
export const percent = (share: number) => formatter({ style: 'percent', maximumFractionDigits: share > 0 && share < 1 ? 1 : 0 }).format(share / 100)

const stamp = (at: string | Date, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language(), options).format(new Date(at))

/** "23 Nov" in the reader's zone, or in another one. */
export const day = (at: string | Date, timeZone?: string) => stamp(at, { day: 'numeric', month: 'short', timeZone })

/** "20–26 Nov" in the reader's zone; one day when both are the same. */
export const days = (from: string | Date, to: string | Date) => new Intl.DateTimeFormat(language(), { day: 'numeric', month: 'short' }).formatRange(new Date(from), new Date(to))

/** Whole days until a moment, to the nearest. */
export const daysUntil = (at: string, now = new Date()) => Math.round((new Date(at).getTime() - now.getTime()) / 86_400_000)

/** A day bucket of the server, which begins at a zone's midnight. */
export const dayOf = (timeZone: string) => (at: string | Date) => stamp(at, { day: 'numeric', month: 'short', timeZone })

/** A day bucket of the server, which begins at midnight UTC. */
export const utcDay = dayOf('UTC')

/** "1 Nov 2026" as a zone has it. */
export const dayIn = (at: string | Date, timeZone: string) => stamp(at, { day: 'numeric', month: 'short', year: 'numeric', timeZone })

/** A cycle as people call it: "November 2026", or by its first and last day. One that is renewed by hand has no last day. */
export function cycle(startsAt: string, endsAt: string, timeZone: string): string {
  const [from, last] = [new Date(startsAt), new Date(Date.parse(endsAt) - 1)]
  if (last.getUTCFullYear() >= 9998) return t('Since {{day}}', { day: dayIn(from, timeZone) })
  const part = (at: Date, options: Intl.DateTimeFormatOptions) => stamp(at, { ...options, timeZone })
  const whole: Intl.DateTimeFormatOptions = { month: 'long', year: 'numeric' }
  if (part(from, { day: 'numeric' }) === '1' && part(from, whole) === part(last, whole)) return part(from, whole)
  return new Intl.DateTimeFormat(language(), { day: 'numeric', month: 'short', year: 'numeric', timeZone }).formatRange(from, last)
}

export const clock = (at: string | Date) => stamp(at, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })

/** "1 Nov 2026, 14:32" in the reader's zone, or in another one. */
export const dateTime = (at: string | Date, timeZone?: string) => stamp(at, { dateStyle: 'medium', timeStyle: 'short', timeZone })

/** For titles: the moment in UTC, as the books have it. */
export const utc = (at: string | Date) => `${new Date(at).toISOString().replace('T', ' ').slice(0, 19)} UTC`

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** "3 hours ago". */
export function ago(at: string, now = new Date()): string {
  const ms = new Date(at).getTime() - now.getTime()
  const relative = new Intl.RelativeTimeFormat(language(), { numeric: 'auto' })
  for (const [unit, size] of steps) if (Math.abs(ms) >= size) return relative.format(Math.trunc(ms / size), unit)
  return t('just now')
}

/** Decimal text that the API takes for an amount, at most nine decimals; null when it isn't one. */
export function parseAmount(text: string): string | null {
  const plain = text.trim().replace(/^\$/, '').replaceAll(',', '').trim()
  return /^\d{1,9}(\.\d{1,9})?$/.test(plain) ? plain : null
}

/** Integer nanos, as the books keep them, as an exact decimal string. */
export function fromNano(nanos: string): string {
  const negative = nanos.startsWith('-')
  const digits = nanos.replace('-', '').padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '')
  return `${negative ? '-' : ''}${digits.slice(0, -9)}${fraction && `.${fraction}`}`
}

const walls = new Map<string, Intl.DateTimeFormat>()

/** What the clocks of a zone show at a moment, as if that were UTC. */
export function wall(at: Date, timeZone: string): Date {
  let found = walls.get(timeZone)
  if (!found) {
    const two = '2-digit' as const
    walls.set(timeZone, (found = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two, second: two })))
  }
  const p = Object.fromEntries(found.formatToParts(at).map((x) => [x.type, Number(x.value)]))
  return new Date(Date.UTC(p.year!, p.month! - 1, p.day!, p.hour!, p.minute!, p.second!))
}

/** "14:32" in the reader's zone. */
export const timeOfDay = (at: string | Date) => stamp(at, { hour: '2-digit', minute: '2-digit', hour12: false })

/** Time zones by their IANA names, UTC first. */
export const timeZones = (): string[] => ['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')]

/** The reader's own zone. */
export const ownTimeZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone

/** How far a zone is from UTC now: "GMT+2"; empty for a name that isn't one. */
export function zoneOffset(timeZone: string, at = new Date()): string {
  try {
    return new Intl.DateTimeFormat(language(), { timeZone, timeZoneName: 'shortOffset' }).formatToParts(at).find((p) => p.type === 'timeZoneName')?.value ?? ''
  } catch {
    return ''
  }
}

/** A time range as short as its length allows: "30 Nov, 10:00 – 10:30". */
export function period(from: string | Date, to: string | Date): string {
  const [a, b] = [new Date(from), new Date(to)]
  const seconds: Intl.DateTimeFormatOptions = b.getTime() - a.getTime() < 120_000 ? { second: '2-digit' } : {}
  return new Intl.DateTimeFormat(language(), { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false, ...seconds }).formatRange(a, b)
}

/** Five moments from begin to end, as an axis names them. */
export function ticks(from: string, to: string): { at: number; label: string }[] {
  const [a, b] = [Date.parse(from), Date.parse(to)]
  const options: Intl.DateTimeFormatOptions = b - a > 172_800_000 ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit', hour12: false }
  return [0, 0.25, 0.5, 0.75, 1].map((share) => ({ at: share, label: stamp(new Date(a + share * (b - a)), options) }))
}

const ranks: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }

/** "1st". */
export const ordinal = (n: number) => `${n}${ranks[new Intl.PluralRules('en', { type: 'ordinal' }).select(n)]}`
