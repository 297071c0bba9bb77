import type { ResourceKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'

/** What can be granted, in the words of each kind. */
export const kindWords: Record<ResourceKind, { one: string; many: string; none: string; which: string; why: string }> = {
  MODEL: { one: t('Model'), many: t('Models'), none: t('There are no models yet'), which: t('Which model?'), why: t('Use a model') },
  AGENT: { one: t('Agent'), many: t('Agents'), none: t('There are no agents yet'), which: t('Which agent?'), why: t('Use an agent') },
  CONNECTION: { one: t('Connection'), many: t('Connections'), none: t('There are no connections yet'), which: t('Which connection?'), why: t('Use a connection') },
  TOOL: { one: t('Tool'), many: t('Tools'), none: t('There are no tools yet'), which: t('Which tool?'), why: t('Use a tool') },
}

const prefixes: Record<string, ResourceKind> = { mod: 'MODEL', agt: 'AGENT', cnn: 'CONNECTION', tol: 'TOOL' }

/** An id tells what it is of. */
export const kindOf = (resourceId: string | undefined): ResourceKind => prefixes[resourceId?.split('_')[0] ?? ''] ?? 'MODEL'

/** Console has models alone. */
export const kindsOf = (plane: Plane): ResourceKind[] => (plane === 'COPILOT' ? ['MODEL', 'AGENT', 'CONNECTION', 'TOOL'] : ['MODEL'])
