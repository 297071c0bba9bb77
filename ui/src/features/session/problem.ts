import { t } from '@/lib/i18n'

export type Problem = { title: string; text: string }

const generic: Problem = { title: t("Signing in didn't work"), text: t('Try again; if it stays so, give an admin the request id.') }
const failed: Problem = { title: generic.title, text: t("Cockpit and your identity provider didn't understand each other. Try again; if it stays so, give an admin the request id.") }
const stale: Problem = { title: t('That sign-in is no longer valid'), text: t('It took too long, or it was begun in another window. Begin again here.') }
const denied: Problem = { title: t('Your identity provider said no'), text: t("You stopped there, or Cockpit isn't assigned to you there. Ask whoever runs your organization's sign-in.") }
const noEmail: Problem = { title: t('Your e-mail address is missing'), text: t("Your identity provider didn't hand over a verified address. Whoever runs your organization's sign-in can allow that.") }
const noUser: Problem = { title: t("You aren't a user here yet"), text: t("Your organization knows you, but its Cockpit doesn't. Ask an admin for an invitation.") }
const disabled: Problem = { title: t('This way of signing in is switched off'), text: t('Enter your e-mail address to see which ways there are, or ask an admin of your account.') }
const suspended: Problem = { title: t("Your account isn't active"), text: t('Nobody can sign in until it is resumed; its data is kept. Ask the people who run this Cockpit.') }

const problems = new Map<string, Problem>([
  ['expired', { title: t('Your session has ended'), text: t('Sign in again; you go on where you were.') }],
  ['sso_failed', failed],
  ['token', failed],
  ['provider_error', failed],
  ['sso_state', stale],
  ['state', stale],
  ['sso_denied', denied],
  ['denied', denied],
  ['sso_email', noEmail],
  ['email_missing', noEmail],
  ['email_unverified', noEmail],
  ['email_domain', { title: t('That address is of another organization'), text: t('The identity provider signed you in with an address outside of its proved domains. Use the one of your organization, or ask an admin to add the domain.') }],
  ['sso_unknown_user', noUser],
  ['no_user', noUser],
  ['sso_disabled', disabled],
  ['provider', disabled],
  ['account_suspended', suspended],
  ['account', suspended],
  ['deactivated', { title: t('You were deactivated'), text: t('You can sign in again once an admin of your account has reactivated you.') }],
  ['unreachable', { title: t("Your identity provider can't be reached"), text: t('Try again in a few minutes. Admins of the account can use their password meanwhile.') }],
  ['rate_limited', { title: t('Too many sign-ins'), text: t('There were too many tries from your network. Wait a minute, then try again.') }],
  ['invitation', { title: t("That invitation doesn't fit"), text: t('It is for another e-mail address than the one you signed in with, or it is over. Ask whoever invited you.') }],
  ['forbidden', { title: t('Only admins may test a sign-in'), text: t('Sign in as an admin of the account first, then begin the test again.') }],
])

/** Why a sign-in that went through another page came back without a session, and what to do now. */
export const problemOf = (code: string | undefined): Problem | undefined => (code === undefined ? undefined : (problems.get(code) ?? generic))
