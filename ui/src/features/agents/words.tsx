import { Bot, ClipboardCheck, FileText, type LucideIcon, MessagesSquare, NotebookPen, Scale, Search, Sparkles } from 'lucide-react'
import type { AgentAvailability } from '@/graphql/generated/graphql'
import { Badge, type Tone } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { t } from '@/lib/i18n'

/** The icons that an agent can have; any other text is shown as it is, such as an emoji. */
export const icons: Record<string, LucideIcon> = { bot: Bot, 'clipboard-check': ClipboardCheck, 'file-text': FileText, messages: MessagesSquare, 'notebook-pen': NotebookPen, scale: Scale, search: Search, sparkles: Sparkles }

export function AgentIcon({ icon, className }: { icon: string; className?: string }) {
  const Icon = icons[icon] ?? (icon ? undefined : Bot)
  return (
    <span aria-hidden className={cx('inline-flex size-8 shrink-0 items-center justify-center rounded-md bg-accent-soft text-base text-accent-text [&_svg]:size-4', className)}>
      {Icon ? <Icon /> : icon.slice(0, 4)}
    </span>
  )
}

const states: Record<AgentAvailability, { tone: Tone; label: string }> = {
  ACTIVE: { tone: 'ok', label: t('Active') },
  PAUSED: { tone: 'warn', label: t('Paused') },
  RETIRED: { tone: 'plain', label: t('Retired') },
}

export function StateBadge({ agent }: { agent: { availability: AgentAvailability; publishedVersion?: number | null } }) {
  if (agent.availability === 'ACTIVE' && !agent.publishedVersion) return <Badge tone="info">{t('Draft')}</Badge>
  return <Badge tone={states[agent.availability].tone}>{states[agent.availability].label}</Badge>
}

/** What a field of a definition is called. */
export const fieldNames: Record<string, string> = {
  instructions: t('Instructions'),
  modelId: t('Model'),
  fallbackIds: t('Fallback models'),
  'parameters.temperature': t('Temperature'),
  'parameters.topP': t('Top-p'),
  'parameters.maxOutputTokens': t('Longest answer'),
  'parameters.reasoningEffort': t('Reasoning effort'),
  toolIds: t('Tools'),
  knowledge: t('Knowledge links'),
  starters: t('Conversation starters'),
  guardrailPresetIds: t('Guardrails'),
}
