import { BookOpen, Blocks, Calendar, Cloud, Database, DoorOpen, FileText, GitBranch, type LucideIcon, Mail, MessagesSquare, Plug, Search, Ticket, TrainFront, Waypoints } from 'lucide-react'
import type { ConnectionAuth, ConnectionCredentialOwner, ConnectionKind, ToolState } from '@/graphql/generated/graphql'
import { Badge, type Tone } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { t } from '@/lib/i18n'
import { type Health, healthOf } from './health'

/** The pictures that a connection can have; any other text is shown as it is, such as an emoji. */
export const icons: Record<string, { icon: LucideIcon; label: string }> = {
  book: { icon: BookOpen, label: t('Book') },
  calendar: { icon: Calendar, label: t('Calendar') },
  messages: { icon: MessagesSquare, label: t('Chat') },
  cloud: { icon: Cloud, label: t('Cloud') },
  git: { icon: GitBranch, label: t('Code') },
  database: { icon: Database, label: t('Database') },
  file: { icon: FileText, label: t('Documents') },
  door: { icon: DoorOpen, label: t('Door') },
  mail: { icon: Mail, label: t('Mail') },
  search: { icon: Search, label: t('Search') },
  ticket: { icon: Ticket, label: t('Tickets') },
  train: { icon: TrainFront, label: t('Travel') },
}

const kindIcons: Record<ConnectionKind, LucideIcon> = { MCP_HTTP: Plug, MCP_SSE: Plug, MCP_STDIO: Plug, OPENAPI: Waypoints, COMPOSIO: Blocks }

export function ConnectionIcon({ of, className }: { of: { icon: string; kind: ConnectionKind }; className?: string }) {
  const Icon = of.icon ? icons[of.icon]?.icon : kindIcons[of.kind]
  return (
    <span aria-hidden className={cx('inline-flex size-8 shrink-0 items-center justify-center overflow-hidden rounded-md bg-accent-soft text-base text-accent-text [&_svg]:size-4', className)}>
      {Icon ? <Icon /> : of.icon.slice(0, 4)}
    </span>
  )
}

export const kindNames: Record<ConnectionKind, string> = {
  MCP_HTTP: t('MCP server'),
  MCP_SSE: t('MCP server (SSE)'),
  MCP_STDIO: t('MCP program'),
  OPENAPI: t('API (OpenAPI)'),
  COMPOSIO: t('Composio'),
}

export const authNames: Record<ConnectionAuth, string> = {
  NONE: t('Not at all'),
  BEARER: t('By a token'),
  HEADER: t('By a key'),
  BASIC: t('By user name and password'),
  OAUTH: t('By OAuth'),
}

/** Whose credential it goes by; nobody's where it needs none. */
export const credentialName = (c: { kind?: ConnectionKind; auth: ConnectionAuth; credential: ConnectionCredentialOwner }) =>
  c.auth === 'NONE' && c.kind !== 'MCP_STDIO' ? t('None needed') : c.credential === 'SHARED' ? t('One for all') : t("Each person's own")

const healths: Record<Health, { tone: Tone; label: string }> = {
  off: { tone: 'plain', label: t('Switched off') },
  out: { tone: 'warn', label: t('Needs sign-in') },
  ill: { tone: 'bad', label: t("Doesn't answer") },
  partly: { tone: 'warn', label: t('Partly read') },
  unseen: { tone: 'plain', label: t('Not looked at yet') },
  well: { tone: 'ok', label: t('Healthy') },
}

export function HealthBadge({ connection }: { connection: Parameters<typeof healthOf>[0] }) {
  const { tone, label } = healths[healthOf(connection)]
  return (
    <Badge tone={tone} dot>
      {label}
    </Badge>
  )
}

const states: Record<ToolState, { tone: Tone; label: string }> = {
  PENDING: { tone: 'info', label: t('New') },
  APPROVED: { tone: 'ok', label: t('Approved') },
  CHANGED: { tone: 'warn', label: t('Changed') },
  MISSING: { tone: 'plain', label: t('Gone') },
}

/** How a tool stands: what holds it back first. */
export function ToolBadge({ tool }: { tool: { state: ToolState; enabled: boolean } }) {
  const off = !tool.enabled && tool.state !== 'MISSING'
  return (
    <span className="inline-flex flex-wrap gap-1">
      {!(off && tool.state === 'PENDING') && <Badge tone={states[tool.state].tone}>{states[tool.state].label}</Badge>}
      {off && <Badge>{tool.state === 'PENDING' ? t('Rejected') : t('Off')}</Badge>}
    </span>
  )
}
