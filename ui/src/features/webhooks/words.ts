import type { DeliveryPartsFragment, WebhookPartsFragment } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

export const deliveryState = {
  PENDING: { tone: 'info', name: t('On its way') },
  DELIVERED: { tone: 'ok', name: t('Delivered') },
  FAILED: { tone: 'bad', name: t('Failed') },
} as const

/** A webhook's state in one badge. */
export function stateOf(w: Pick<WebhookPartsFragment, 'status' | 'failingSince'>) {
  if (w.status === 'DISABLED') return { tone: 'plain', name: t('Disabled') } as const
  if (w.failingSince) return { tone: 'warn', name: t('Failing') } as const
  return { tone: 'ok', name: t('Active') } as const
}

/** A payload as people read it. */
export function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2)
  } catch {
    return payload
  }
}

/** What came back, in a few words. */
export function outcome(d: Pick<DeliveryPartsFragment, 'error' | 'responseStatus' | 'attempts' | 'status'>): string {
  if (d.error) return d.error
  if (d.responseStatus) return t('answered {{status}}', { status: d.responseStatus })
  return d.attempts === 0 ? t('not tried yet') : t('being tried')
}
