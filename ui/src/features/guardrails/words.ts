import type { GuardrailAction, GuardrailDetector, GuardrailDirection } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { t } from '@/lib/i18n'

export const detectors: readonly { value: GuardrailDetector; label: string }[] = [
  { value: 'EMAIL', label: t('E-mail addresses') },
  { value: 'PHONE', label: t('Telephone numbers') },
  { value: 'IBAN', label: t('Bank accounts (IBAN)') },
  { value: 'CREDIT_CARD', label: t('Payment cards') },
  { value: 'IP_ADDRESS', label: t('IP addresses') },
  { value: 'NATIONAL_ID', label: t('National ids') },
  { value: 'AWS_KEY', label: t('AWS keys') },
  { value: 'GITHUB_TOKEN', label: t('GitHub tokens') },
  { value: 'LLM_KEY', label: t('LLM keys') },
  { value: 'SERVICE_TOKEN', label: t('Service tokens') },
  { value: 'PRIVATE_KEY', label: t('Private keys') },
  { value: 'JWT', label: t('JSON web tokens') },
  { value: 'GENERIC_SECRET', label: t('Passwords and the like') },
  { value: 'JAILBREAK', label: t('Jailbreak phrases') },
  { value: 'WORDS', label: t('Words of a list') },
  { value: 'REGEX', label: t('Regular expression') },
]

export const actions: readonly { value: GuardrailAction; label: string; tone: Tone }[] = [
  { value: 'BLOCK', label: t('Block'), tone: 'bad' },
  { value: 'REDACT', label: t('Redact'), tone: 'accent' },
  { value: 'FLAG', label: t('Count'), tone: 'warn' },
]

export const directions: readonly { value: GuardrailDirection; label: string }[] = [
  { value: 'BOTH', label: t('Both ways') },
  { value: 'INPUT', label: t('Going in') },
  { value: 'OUTPUT', label: t('Coming out') },
]

export const actionOf = (a: GuardrailAction) => actions.find((x) => x.value === a)!
export const detectorName = (d: GuardrailDetector) => detectors.find((x) => x.value === d)!.label
export const directionName = (d: GuardrailDirection) => directions.find((x) => x.value === d)!.label
