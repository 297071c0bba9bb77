import type { AccountPartsFragment } from '@/graphql/generated/graphql'
import type { SpanValue } from '@/kit/span-field'
import { t } from '@/lib/i18n'
import { joinMinutes, splitMinutes } from '@/lib/span'

type Account = Pick<AccountPartsFragment, 'name' | 'timeZone' | 'sessionIdleMinutes' | 'sessionLifetimeMinutes' | 'auditRetentionDays'>

/** The settings as they are edited. */
export type Draft = { name: string; timeZone: string; idle: SpanValue; lifetime: SpanValue; retention: string }

const spanOf = (minutes: number | null | undefined): SpanValue => {
  const { amount, unit } = splitMinutes(minutes ?? 0)
  return { amount: String(amount), unit }
}

export const draftOf = (a: Account): Draft => ({ name: a.name, timeZone: a.timeZone, idle: spanOf(a.sessionIdleMinutes), lifetime: spanOf(a.sessionLifetimeMinutes), retention: String(a.auditRetentionDays ?? 0) })

const minutes = (v: SpanValue) => joinMinutes(v.amount, v.unit)

/** What differs from what stands: only that is sent. */
export function changed(a: Account, d: Draft) {
  const idle = minutes(d.idle)
  const lifetime = minutes(d.lifetime)
  return {
    ...(d.name.trim() !== a.name && { name: d.name.trim() }),
    ...(d.timeZone !== a.timeZone && { timeZone: d.timeZone }),
    ...(idle !== a.sessionIdleMinutes && { sessionIdleMinutes: idle ?? 0 }),
    ...(lifetime !== a.sessionLifetimeMinutes && { sessionLifetimeMinutes: lifetime ?? 0 }),
    ...(Number(d.retention) !== (a.auditRetentionDays ?? 0) && { auditRetentionDays: Number(d.retention) }),
  }
}

/** What can't be saved, by input field; the server decides in the end. */
export function problems(d: Draft): Record<string, string> {
  const found: Record<string, string> = {}
  const idle = minutes(d.idle)
  const lifetime = minutes(d.lifetime)
  if (!d.name.trim()) found.name = t('Enter what the account is called.')
  if (idle === null || idle < 5 || idle > 43_200) found.sessionIdleMinutes = t('Enter a whole number: 5 minutes to 30 days.')
  if (lifetime === null || lifetime < 15 || lifetime > 129_600) found.sessionLifetimeMinutes = t('Enter a whole number: 15 minutes to 90 days.')
  else if (idle !== null && idle > lifetime) found.sessionIdleMinutes ??= t('Longer than a session lasts: it would never count.')
  return found
}

const usual = [0, 30, 90, 180, 365, 730, 1095, 1825, 2555, 3650]

/** Lengths to choose from, the present one among them. */
export const retentions = (now: number) =>
  [...new Set([...usual, now])]
    .toSorted((a, b) => (a || Infinity) - (b || Infinity))
    .map((n) => ({ value: String(n), label: n === 0 ? t('For good') : n % 365 === 0 ? t('{{count}} years', { count: n / 365 }) : t('{{count}} days', { count: n }) }))
