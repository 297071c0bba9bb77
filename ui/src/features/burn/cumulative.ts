type Day = { amount: string }

/** Days of the cycle as running totals; the last one follows the live state, and no total passes what is spent. */
export function cumulative(series: readonly Day[], spent: string): number[] {
  const now = Number(spent)
  const values = [0]
  let sum = 0
  for (const d of series.slice(0, -1)) values.push(Math.min((sum += Number(d.amount)), now))
  return [...values, now]
}

/** Running totals of days that are over. */
export function totals(series: readonly Day[]): number[] {
  let sum = 0
  return [0, ...series.map((d) => (sum += Number(d.amount)))]
}
