import type { AccountStatus } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { t } from '@/lib/i18n'

export const statusLook: Record<AccountStatus, { tone: Tone; label: string }> = {
  ACTIVE: { tone: 'ok', label: t('Active') },
  SUSPENDED: { tone: 'warn', label: t('Suspended') },
  CLOSED: { tone: 'plain', label: t('Closed') },
}
