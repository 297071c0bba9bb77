import { wall } from './format'

/** The date of a moment in a zone: "2026-11-30". */
export const dateIn = (at: Date | string, timeZone: string): string => wall(new Date(at), timeZone).toISOString().slice(0, 10)

export function addDays(date: string, days: number): string {
  const d = new Date(`${date}T00:00:00Z`)
  d.setUTCDate(d.getUTCDate() + days)
  return d.toISOString().slice(0, 10)
}

/** The first moment of a date in a zone, also where clocks jump over 00:00 or show it twice. */
export function startOf(date: string, timeZone: string): Date {
  const utc = Date.parse(`${date}T00:00:00Z`)
  const offset = (at: number) => wall(new Date(at), timeZone).getTime() - at
  const day = 86_400_000
  const guesses = [offset(utc - day), offset(utc + day)].map((o) => utc - o).toSorted((a, b) => a - b)
  return new Date(guesses.find((at) => dateIn(new Date(at), timeZone) === date) ?? guesses[0]!)
}

/** The date that a zone has, so many days on. */
export const dayFrom = (timeZone: string, days = 0, now = Date.now()): string => addDays(dateIn(new Date(now), timeZone), days)

/** The last second of a date in a zone, as the server takes it; undefined for what is no date. */
export function endOfDay(date: string, timeZone: string): string | undefined {
  if (Number.isNaN(Date.parse(`${date}T00:00:00Z`))) return undefined
  return new Date(startOf(addDays(date, 1), timeZone).getTime() - 1000).toISOString()
}
