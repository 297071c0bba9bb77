import type { AuthorizationRequestInput } from '@/graphql/generated/graphql'

/** Parameters of /oauth/authorize. */
export const parameters = ['client_id', 'redirect_uri', 'scope', 'response_type', 'code_challenge', 'code_challenge_method', 'state', 'nonce'] as const

export type Parameters = Partial<Record<(typeof parameters)[number], string>>

/** The parameters as the server judges them; what is missing it says itself. */
export const toRequest = (p: Parameters): AuthorizationRequestInput => ({
  clientId: p.client_id ?? '',
  redirectUri: p.redirect_uri ?? '',
  scope: p.scope,
  responseType: p.response_type ?? '',
  codeChallenge: p.code_challenge ?? '',
  codeChallengeMethod: p.code_challenge_method ?? '',
  state: p.state,
  nonce: p.nonce,
})

/**
 * Where a refusal is told, RFC 6749 section 4.1.2.1, with who tells it (RFC 9207). Only for a redirect_uri that the server has found to be the
 * program's; nothing but a web address ever comes of it.
 */
export function refusalUrl(p: Parameters, issuer: string): string | undefined {
  const url = URL.parse(p.redirect_uri ?? '')
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  url.searchParams.set('error', 'access_denied')
  url.searchParams.set('iss', issuer)
  if (p.state !== undefined) url.searchParams.set('state', p.state)
  return url.toString()
}
