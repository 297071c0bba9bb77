import type { AuditFilter } from '@/graphql/generated/graphql'

const names = ['action', 'actorId', 'search', 'targetId', 'outcome', 'from', 'to'] as const

/** Where the log can be taken away as a file, with the filters as they stand. */
export function exportHref(scopeId: string, format: 'csv' | 'ndjson', filter: AuditFilter): string {
  const params = new URLSearchParams({ scope: String(filter.scopeId ?? scopeId), format })
  for (const name of names) {
    const value = filter[name]
    if (value) params.set(name, String(value))
  }
  return `/export/audit?${params}`
}
