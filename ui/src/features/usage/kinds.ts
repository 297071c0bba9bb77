import type { ChargeKind } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { t } from '@/lib/i18n'

/** Why a line of the ledger was written. */
export const kinds: Record<ChargeKind, { label: string; tone: Tone }> = {
  SETTLED: { label: t('Settled'), tone: 'plain' },
  IN_DOUBT: { label: t('In doubt'), tone: 'warn' },
  LATE: { label: t('Late'), tone: 'info' },
  ADJUSTED: { label: t('Correction'), tone: 'info' },
}
