import { expect, it } from 'vitest'
import { problemOf } from './problem'

it('has own words for every known code, and general ones for others', () => {
  const general = problemOf('anything')!
  const codes = ['sso_failed', 'sso_state', 'sso_denied', 'sso_email', 'sso_unknown_user', 'sso_disabled', 'account_suspended', 'expired']
  expect(new Set(codes.map((c) => problemOf(c)!.text)).size).toBe(codes.length)
  const server = ['rate_limited', 'provider', 'unreachable', 'state', 'denied', 'provider_error', 'token', 'email_missing', 'email_unverified', 'email_domain', 'no_user', 'deactivated', 'account', 'invitation', 'forbidden']
  for (const code of [...codes, ...server]) expect(problemOf(code), code).not.toBe(general)
  for (const strange of ['<script>', 'toString', '__proto__', '']) expect(problemOf(strange)).toBe(general)
  expect(problemOf(undefined)).toBeUndefined()
})
