import type { RequestPartsFragment, RequestStatus } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { day, moneyWords } from '@/lib/format'
import { t } from '@/lib/i18n'

export const statusName: Record<RequestStatus, string> = {
  PENDING: t('Waiting'),
  APPROVED: t('Approved'),
  DECLINED: t('Declined'),
  WITHDRAWN: t('Withdrawn'),
  EXPIRED: t('Expired'),
}

export const statusTone: Record<RequestStatus, Tone> = { PENDING: 'info', APPROVED: 'ok', DECLINED: 'bad', WITHDRAWN: 'plain', EXPIRED: 'plain' }

/** "$50.00 more until 12 Dec". */
export function asked(r: RequestPartsFragment): string {
  const amount = moneyWords(r.amount, r.unit)
  return r.until ? t('{{amount}} more until {{day}}', { amount, day: day(r.until) }) : t('{{amount}} more for good', { amount })
}

/** "$30.00 of it, until 12 Dec". */
export function given(r: RequestPartsFragment): string {
  const amount = moneyWords(r.granted, r.unit)
  const part = r.granted === r.amount ? t('{{amount}}, all of it', { amount }) : t('{{amount}} of {{asked}}', { amount, asked: moneyWords(r.amount, r.unit) })
  return r.grantedUntil ? t('{{part}}, until {{day}}', { part, day: day(r.grantedUntil) }) : part
}

export const placeOf = (r: RequestPartsFragment): string => [r.location, r.scopeName].filter(Boolean).join(' / ')

/** What stands against a decision, from the server. */
export const reasonFor = (r: RequestPartsFragment, action: string): string => r.viewerCan.find((p) => p.action === action)?.reason ?? ''
