import type { IdentityPartsFragment, SignInSettingsQuery } from '@/graphql/generated/graphql'
import type { Tone } from '@/kit/badge'
import { t } from '@/lib/i18n'

type Provider = Pick<IdentityPartsFragment, 'status' | 'testedAt' | 'testError'>

export const statusLook: Record<IdentityPartsFragment['status'], { tone: Tone; label: string }> = {
  DRAFT: { tone: 'info', label: t('Draft: only admins test it') },
  ACTIVE: { tone: 'ok', label: t('Active') },
  DISABLED: { tone: 'plain', label: t('Disabled') },
}

/** Whether a provider may be switched on: only as it was tested. */
export const activatable = (p: Provider) => p.status !== 'ACTIVE' && Boolean(p.testedAt) && !p.testError

/** What a test found, as a sentence. */
export const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1).replace(/[^.!?]$/, '$&.')

export type Precondition = { met: boolean; text: string }

type Account = NonNullable<SignInSettingsQuery['account']>

/** What has to stand before people are let in through providers alone. */
export function preconditions(account: Pick<Account, 'domains'> & { identityProviders?: { edges: readonly { node: Provider }[] } | null }): Precondition[] {
  const domain = account.domains?.edges.find((e) => e.node.verified)?.node
  return [
    { met: Boolean(domain), text: domain ? t('A verified domain: {{domain}}', { domain: domain.name }) : t('A verified domain') },
    { met: account.identityProviders?.edges.some((e) => e.node.status === 'ACTIVE' && e.node.testedAt) ?? false, text: t('An identity provider that is active and was tested as it is now') },
  ]
}
