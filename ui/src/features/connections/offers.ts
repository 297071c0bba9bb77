import type { ConnectionKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

/** A kind of connection, and why it can't be made; without a reason it can. */
export type Offer = { kind: ConnectionKind; reason?: string }

const actions: readonly [ConnectionKind, string][] = [
  ['MCP_HTTP', 'connection.createMcp'],
  ['OPENAPI', 'connection.createApi'],
  ['COMPOSIO', 'connection.createIntegration'],
  ['MCP_SSE', 'connection.createMcp'],
  ['MCP_STDIO', 'connection.createProgram'],
]

/** What the server says of each kind; one that it doesn't speak of yet stays open until a place is chosen. */
export const offers = (can: readonly { action: string; allowed: boolean; reason: string }[], programs?: readonly unknown[]): Offer[] =>
  actions.map(([kind, action]) => {
    const said = can.find((p) => p.action === action)
    if (said && !said.allowed) return { kind, reason: said.reason }
    if (kind === 'MCP_STDIO' && programs?.length === 0) return { kind, reason: t('Whoever runs Cockpit lets no program be started.') }
    return { kind }
  })
