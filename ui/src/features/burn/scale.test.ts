import { expect, it } from 'vitest'
import { scaleOf } from './scale'

it('steps roundly, and ends above the highest value', () => {
  for (const highest of [0.0002, 0.7, 3, 99, 100, 812, 1_234_567]) {
    const { top, steps } = scaleOf(highest)
    expect(top).toBeGreaterThan(highest)
    expect(steps.length).toBeGreaterThanOrEqual(3)
    expect(steps.length).toBeLessThanOrEqual(6)
    expect(steps.at(-1)).toBeLessThanOrEqual(top)
  }
  expect(scaleOf(100).steps).toEqual([0, 50, 100])
  expect(scaleOf(0)).toEqual({ top: 1, steps: [0] })
})
