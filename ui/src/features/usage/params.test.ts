import { describe, expect, it } from 'vitest'
import { daysOf, drill, exportHref, filterOf, intervalOf, lastDay } from './params'

const now = new Date('2026-11-30T14:00:00Z')

describe('the days of an address', () => {
  it('are those of the time zone, long and short ones too', () => {
    const days = daysOf({ range: 'custom', from: '2025-10-26', to: '2025-10-26' }, 'Europe/Berlin', now)
    expect(days).toEqual({ span: 'custom', from: '2025-10-25T22:00:00.000Z', to: '2025-10-26T23:00:00.000Z' })
    expect(lastDay(days.to, 'Europe/Berlin')).toBe('2025-10-26')
    expect(daysOf({ range: '7d' }, 'America/New_York', new Date('2026-11-30T02:00:00Z')).to).toBe('2026-11-30T05:00:00.000Z')
  })
  it('are the last 30 unless it says otherwise', () => {
    expect(daysOf({}, 'UTC', now)).toEqual({ span: '30d', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' })
    expect(daysOf({ range: 'nonsense' }, 'UTC', now).span).toBe('30d')
  })
  it('take both ends of a range of its own', () => {
    const days = daysOf({ range: 'custom', from: '2026-02-27', to: '2026-02-28' }, 'UTC', now)
    expect(days).toEqual({ span: 'custom', from: '2026-02-27T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' })
    expect(lastDay(days.to, 'UTC')).toBe('2026-02-28')
    expect(daysOf({ range: 'custom', from: '2026-03-01', to: '2026-02-28' }, 'UTC', now).span).toBe('30d')
  })
})

it('shows long times by week', () => {
  expect(intervalOf({}, now)).toBe('DAY')
  expect(intervalOf({ range: 'custom', from: '2026-01-01', to: '2026-11-30' }, now)).toBe('WEEK')
  expect(intervalOf({ by: 'MONTH' }, now)).toBe('MONTH')
})

it('leads from a row to what lies within', () => {
  expect(drill('TEAM', 'team_1')).toEqual({ scope: 'team_1', group: 'MEMBER' })
  expect(drill('KEY', 'key_1')).toEqual({ key: 'key_1', group: 'MODEL' })
  expect(filterOf({ ...drill('TAG', 'nightly') }, 'UTC', now).tag).toBe('nightly')
})

it('exports what is shown', () => {
  const href = exportHref('usage', 'CONSOLE', { group: 'TEAM', model: 'mod_1', tag: 'a&b' }, 'UTC', now)
  const params = new URLSearchParams(href.split('?')[1])
  expect(Object.fromEntries(params)).toEqual({ kind: 'usage', plane: 'CONSOLE', from: '2026-11-01T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z', modelId: 'mod_1', tag: 'a&b', groupBy: 'TEAM', interval: 'DAY' })
  expect(exportHref('focus', 'COPILOT', { tag: 'x', q: 'req_1' }, 'UTC', now)).not.toContain('tag')
})
