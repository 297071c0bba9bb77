import { t } from '@/lib/i18n'

export const capabilityName = { FAST: t('Fast'), BALANCED: t('Balanced'), SMART: t('Smart'), THINKING: t('Thinking') }
