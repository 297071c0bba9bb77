/** An axis from nothing to a little more than the highest value, in three to five round steps. */
export function scaleOf(highest: number): { top: number; steps: number[] } {
  if (!(highest > 0)) return { top: 1, steps: [0] }
  const rough = (highest * 1.05) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough)!
  const top = highest * 1.05
  return { top, steps: Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step) }
}
