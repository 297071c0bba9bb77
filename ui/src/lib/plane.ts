import type { Unit } from './format'
import { t } from './i18n'

export type Plane = 'CONSOLE' | 'COPILOT'

/** A plane as it stands in addresses. */
type PlaneSlug = 'console' | 'copilot'

export const planeOf = (slug: string): Plane | null => (slug === 'console' ? 'CONSOLE' : slug === 'copilot' ? 'COPILOT' : null)

export const slugOf = (plane: Plane): PlaneSlug => (plane === 'CONSOLE' ? 'console' : 'copilot')

export const nameOf = (plane: Plane) => (plane === 'CONSOLE' ? t('Console') : t('Copilot'))

export const unitOf = (plane: Plane): Unit => (plane === 'CONSOLE' ? 'USD' : 'CREDITS')

/** Variables of an operation that asks one of the two plane roots. */
export const ask = (plane: Plane) => ({ console: plane === 'CONSOLE', copilot: plane === 'COPILOT' })

/** The plane root that was asked for; null when the account doesn't use the plane. */
export const pick = <A, B>(data: { console?: A | null; copilot?: B | null } | undefined): A | B | null | undefined => data && (data.console ?? data.copilot ?? null)
