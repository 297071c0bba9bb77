import type { ScopeKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

export const kindName: Record<ScopeKind, string> = {
  PLATFORM: t('Platform'),
  ACCOUNT: t('Account'),
  CONSOLE: t('Console'),
  COPILOT: t('Copilot'),
  ORGANIZATION: t('Organization'),
  TEAM: t('Team'),
  MEMBER: t('User'),
  KEY: t('Key'),
  AGENT: t('Agent'),
}

/** The root of a plane, whose budget is the plane's pool. */
export const isRoot = (s: { kind: ScopeKind }) => s.kind === 'CONSOLE' || s.kind === 'COPILOT'

/** A plane's root goes by the account's name: "Console" alone would say nothing. */
export const named = <N extends { kind: ScopeKind; name: string }>(node: N, account: string): N => (isRoot(node) ? { ...node, name: account } : node)
