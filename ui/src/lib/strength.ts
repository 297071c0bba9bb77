import { t } from './i18n'

export type Strength = { level: 0 | 1 | 2 | 3; hint: string }

const common = /pass(word|wort)|qwert|12345|letmein|welcome|admin|iloveyou|cockpit|abcd/i

/** A rough guess for the person who types; what is taken is the server's to say. */
export function strengthOf(password: string, about: readonly string[] = []): Strength {
  const length = [...password].length
  if (length < 12) return { level: 0, hint: t('{{count}} characters to go', { count: 12 - length }) }
  const lower = password.toLowerCase()
  const own = about.flatMap((s) => s.toLowerCase().split(/[^\p{L}\p{N}]+/u)).some((w) => w.length > 3 && lower.includes(w))
  if (own) return { level: 1, hint: t('Weak: it has your name or address in it') }
  if (common.test(password)) return { level: 1, hint: t('Weak: it has a word that everybody tries first') }
  const different = new Set(lower).size
  if (different < 6) return { level: 1, hint: t('Weak: few different characters') }
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((k) => k.test(password)).length
  return length >= 18 || (length >= 14 && kinds >= 3) ? { level: 3, hint: t('Strong') } : { level: 2, hint: t('Good') }
}
