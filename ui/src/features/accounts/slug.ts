import { t } from '@/lib/i18n'

const apart: Record<string, string> = { ß: 'ss', æ: 'ae', ø: 'o', œ: 'oe', ł: 'l', đ: 'd', '&': ' and ' }

/** A name for addresses out of a name for people: "Müller & Söhne" → "muller-and-sohne". */
export function suggestSlug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[ßæøœłđ&]/g, (c) => apart[c] ?? c)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')
}

/** What keeps it from being a name for addresses, in words. */
export function slugProblem(slug: string): string | undefined {
  if (!/^[a-z0-9-]{3,40}$/.test(slug)) return t('3–40 of a–z, 0–9 and hyphens.')
  if (/^-|-$/.test(slug)) return t('No hyphen at either end.')
}
