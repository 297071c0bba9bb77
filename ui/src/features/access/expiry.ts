/** The end of a day in the reader's zone, as the server takes it. */
export const endOfDay = (date: string) => new Date(`${date}T23:59:59`).toISOString()

const two = (n: number) => String(n).padStart(2, '0')

/** The day, in the reader's zone, that something ends on. */
export function lastDay(at: string): string {
  const d = new Date(at)
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`
}
