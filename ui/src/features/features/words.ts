import type { Feature, FeatureSwitch } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

export const featureName: Record<Feature, { name: string; note: string }> = {
  CREATE_AGENTS: { name: t('Make agents'), note: t('People build agents of their own.') },
  CREATE_MCP_CONNECTIONS: { name: t('Connect MCP servers'), note: t('People connect tools by the Model Context Protocol.') },
  CREATE_OPENAPI_CONNECTIONS: { name: t('Connect APIs'), note: t('People make tools of an OpenAPI document.') },
  CREATE_INTEGRATIONS: { name: t('Connect integrations'), note: t('People connect ready-made integrations.') },
  PUBLISH_LISTINGS: { name: t('Offer in the marketplace'), note: t('People offer agents and connections to others, after a review.') },
  GENERATE_IMAGES: { name: t('Generate images'), note: t('Models answer with images.') },
}

export const switchName: Record<FeatureSwitch, string> = { INHERIT: t('As above'), ON: t('On'), OFF: t('Off'), DENY: t('Deny') }
