import type { RequestKind, RequestPartsFragment, RequestStatus } from '@/graphql/generated/graphql'
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

export const kindName: Record<RequestKind, string> = { BUDGET: t('Budget'), ACCESS: t('Access'), PUBLISH: t('Reviews'), TOOL_APPROVAL: t('Tools') }

/** "$50.00 more until 12 Dec", "gpt-5 for good". */
export function asked(r: RequestPartsFragment): string {
  if (r.kind === 'PUBLISH') return t('{{name}} to be published', { name: r.resource?.name ?? '' })
  if (r.kind === 'TOOL_APPROVAL') return t('tools of {{name}} to be approved', { name: r.resource?.name ?? '' })
  const what = r.kind === 'ACCESS' ? (r.resource?.name ?? '') : t('{{amount}} more', { amount: moneyWords(r.amount, r.unit) })
  return r.until ? t('{{what}} until {{day}}', { what, day: day(r.until) }) : t('{{what}} for good', { what })
}

/** "$30.00 of it, until 12 Dec". */
export function given(r: RequestPartsFragment): string {
  if (r.kind === 'PUBLISH') return t('Published')
  if (r.kind === 'TOOL_APPROVAL') return t('Approved')
  const amount = moneyWords(r.granted, r.unit)
  const all = r.granted === r.amount ? t('{{amount}}, all of it', { amount }) : t('{{amount}} of {{asked}}', { amount, asked: moneyWords(r.amount, r.unit) })
  const part = r.kind === 'ACCESS' ? (r.grantedScopeName && r.grantedScopeName !== r.scopeName ? t('Allowed for {{place}} alone', { place: r.grantedScopeName }) : t('Allowed')) : all
  return r.grantedUntil ? t('{{part}}, until {{day}}', { part, day: day(r.grantedUntil) }) : part
}

export const placeOf = (r: RequestPartsFragment): string => [r.location, r.scopeName].filter(Boolean).join(' / ')

/** What stands against a decision, from the server. */
export const reasonFor = (r: RequestPartsFragment, action: string): string => r.viewerCan.find((p) => p.action === action)?.reason ?? ''
