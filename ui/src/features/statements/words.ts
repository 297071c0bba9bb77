import { dayIn } from '@/lib/format'
import { t } from '@/lib/i18n'

/** A cycle by its first and last day, as the account's zone has them. */
export function cycleName(startsAt: string, endsAt: string, timeZone: string): string {
  const last = new Date(Date.parse(endsAt) - 1)
  return t('{{from}} to {{to}}', { from: dayIn(startsAt, timeZone), to: dayIn(last, timeZone) })
}

/** A plane's pool goes by the account's name. */
export const nameOfScope = (s: { scopeId: string; scopeName: string }, account: string) => (/^(con|cop)_/.test(s.scopeId) ? account : s.scopeName)
