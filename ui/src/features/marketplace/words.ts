import type { ListingKind, ListingOrder, ListingStatus } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { t } from '@/lib/i18n'

export const kindName: Record<ListingKind, string> = { MODEL: t('Model'), AGENT: t('Agent'), CONNECTION: t('Connection'), TEMPLATE: t('Template') }

export const kinds: { value: ListingKind | 'ALL'; label: string }[] = [
  { value: 'ALL', label: t('Everything') },
  { value: 'AGENT', label: t('Agents') },
  { value: 'TEMPLATE', label: t('Templates') },
  { value: 'CONNECTION', label: t('Connections') },
  { value: 'MODEL', label: t('Models') },
]

export const orders: { value: ListingOrder; label: string }[] = [
  { value: 'INSTALLS', label: t('Most installed') },
  { value: 'RATING', label: t('Best rated') },
  { value: 'NEWEST', label: t('Newest') },
]

export const statusName: Record<ListingStatus, string> = { DRAFT: t('Draft'), IN_REVIEW: t('In review'), PUBLISHED: t('Published'), REJECTED: t('Sent back'), WITHDRAWN: t('Withdrawn') }

export const statusTone: Record<ListingStatus, Tone> = { DRAFT: 'plain', IN_REVIEW: 'info', PUBLISHED: 'ok', REJECTED: 'bad', WITHDRAWN: 'warn' }

/** Entries that were typed on lines of their own, or with commas between. */
export const entries = (text: string, by: RegExp): string[] => [...new Set(text.split(by).map((s) => s.trim()).filter(Boolean))]

/** Pictures that a page may show: those that come in the address itself. Others would tell their host who looks. */
export const shown = (address: string): boolean => /^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$/.test(address)

/** What differs, in words: the last name of its path, or all of it. */
export const fieldOf = (path: string): string => path.replace(/^definition\./, '').replaceAll('.', ' › ')

/** A value as people read it: a text without its quotes and escapes. */
export function plain(json: string): string {
  if (!json) return ''
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'string' ? value : Array.isArray(value) && value.every((v) => typeof v === 'string') ? value.join('\n') : JSON.stringify(value, null, 2)
  } catch {
    return json
  }
}

type Installed = { original: boolean; outdated: boolean; usable: boolean }

/** Where a listing stands with the viewer, in one word for its card. */
export function standing(installations: readonly Installed[]): { label: string; tone: Tone } | undefined {
  const made = installations.filter((i) => !i.original)
  if (made.some((i) => i.outdated)) return { label: t('Update'), tone: 'info' }
  if (installations.some((i) => i.usable)) return { label: t('You have it'), tone: 'ok' }
  return made.length > 0 ? { label: t('Installed'), tone: 'plain' } : undefined
}
