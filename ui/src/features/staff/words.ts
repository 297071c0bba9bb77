import type { Role } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

export const staffRole: Record<Role, string> = { ADMIN: t('Super admin'), VIEWER: t('Platform auditor'), MEMBER: t('User') }
