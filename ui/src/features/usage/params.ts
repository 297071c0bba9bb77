import { useMemo } from 'react'
import type { UsageFilter, UsageGroup, UsageInterval } from '@/graphql/generated/graphql'
import { useViewer } from '@/graphql/viewer'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { between, span } from '@/lib/range'
import { dateIn } from '@/lib/zone'

/** What the page's address says; each part is left out where it is as usual. */
export type Search = { view: string; range: string; from: string; to: string; group: string; by: string; scope: string; model: string; user: string; tag: string; key: string; agent: string; client: string; q: string; peek: string; over: string; flow: string }

export const spans = [
  { value: '7d', label: t('7 days') },
  { value: '30d', label: t('30 days') },
  { value: '90d', label: t('90 days') },
  { value: 'custom', label: t('Custom') },
] as const

export type Span = (typeof spans)[number]['value']

export const groups: readonly { value: UsageGroup; label: string }[] = [
  { value: 'MODEL', label: t('Model') },
  { value: 'ORGANIZATION', label: t('Organization') },
  { value: 'TEAM', label: t('Team') },
  { value: 'MEMBER', label: t('Seat') },
  { value: 'USER', label: t('Person') },
  { value: 'KEY', label: t('Key') },
  { value: 'AGENT', label: t('Agent') },
  { value: 'CLIENT', label: t('Program') },
  { value: 'TAG', label: t('Tag') },
]

/** What one's own usage is looked at by. */
export const ownGroups = groups.filter((g) => ['MODEL', 'KEY', 'AGENT', 'CLIENT', 'TAG'].includes(g.value))

export const intervals: readonly { value: UsageInterval; label: string }[] = [
  { value: 'DAY', label: t('Day') },
  { value: 'WEEK', label: t('Week') },
  { value: 'MONTH', label: t('Month') },
]

const date = /^\d{4}-\d{2}-\d{2}$/

/** The days that are asked for: both ends whole days of a time zone, the last one included. */
export function daysOf(url: Partial<Search>, timeZone: string, now = new Date()): { span: Span; from: string; to: string } {
  const known = spans.find((s) => s.value === url.range && s.value !== 'custom')?.value
  if (!known && url.from && url.to && date.test(url.from) && date.test(url.to) && url.from <= url.to) return { span: 'custom', ...between(url.from, url.to, timeZone) }
  const usual = known ?? '30d'
  return { span: usual, ...span(usual as '7d', timeZone, now) }
}

/** The last day of a time whose end is exclusive. */
export const lastDay = (to: string, timeZone: string) => dateIn(new Date(Date.parse(to) - 1), timeZone)

export function filterOf(url: Partial<Search>, timeZone: string, now?: Date): UsageFilter {
  const { from, to } = daysOf(url, timeZone, now)
  return { from, to, scopeId: url.scope, modelId: url.model, userId: url.user, tag: url.tag, keyId: url.key, agentId: url.agent, clientId: url.client }
}

/** The part of the address that says which charges. */
const parts = ({ range, from, to, scope, model, user, tag, key, agent, client }: Partial<Search>): string => JSON.stringify({ range, from, to, scope, model, user, tag, key, agent, client })

/** The same filter for as long as the address says the same: today's end moves with every render. */
export function useFilter(url: Partial<Search>, timeZone: string): UsageFilter {
  const key = parts(url)
  return useMemo(() => filterOf(JSON.parse(key) as Partial<Search>, timeZone), [key, timeZone])
}

/** By whose days usage goes. */
export const useZone = () => useViewer().account.timeZone

export const groupOf = (url: Partial<Search>, of = groups): UsageGroup => of.find((g) => g.value === url.group)?.value ?? 'MODEL'

/** Days, or for long times weeks, unless the address says otherwise. */
export function intervalOf(url: Partial<Search>, now?: Date): UsageInterval {
  const { from, to } = daysOf(url, 'UTC', now)
  return intervals.find((i) => i.value === url.by)?.value ?? (Date.parse(to) - Date.parse(from) > 100 * 86_400_000 ? 'WEEK' : 'DAY')
}

/** Where a row leads: narrowed down to it, grouped by what lies within. */
export function drill(group: UsageGroup, id: string, own = false): Partial<Search> {
  switch (group) {
    case 'ORGANIZATION':
      return { scope: id, group: 'TEAM' }
    case 'TEAM':
      return { scope: id, group: 'MEMBER' }
    case 'MEMBER':
      return { scope: id, group: 'MODEL' }
    case 'KEY':
      return { key: id, group: 'MODEL' }
    case 'MODEL':
      return { model: id, group: own ? 'KEY' : 'MEMBER' }
    case 'USER':
      return { user: id, group: 'MODEL' }
    case 'AGENT':
      return { agent: id, group: 'MODEL' }
    case 'CLIENT':
      return { client: id, group: 'MODEL' }
    case 'TAG':
      return { tag: id, group: 'MODEL' }
  }
}

export type ExportKind = 'usage' | 'receipts' | 'statements' | 'focus'

/** Where the server streams what is shown as a file. */
export function exportHref(kind: ExportKind, plane: Plane, url: Partial<Search>, timeZone: string, now?: Date): string {
  const f = filterOf(url, timeZone, now)
  const params = new URLSearchParams({ kind, plane, from: String(f.from), to: String(f.to) })
  const add = (name: string, value: unknown) => value && params.set(name, String(value))
  add('scope', f.scopeId)
  if (kind === 'usage' || kind === 'receipts') {
    for (const name of ['modelId', 'userId', 'tag', 'keyId', 'agentId', 'clientId'] as const) add(name, f[name])
  }
  if (kind === 'usage') {
    add('groupBy', groupOf(url))
    add('interval', intervalOf(url, now))
  }
  if (kind === 'receipts') add('requestId', url.q)
  return `/export/usage?${params}`
}
