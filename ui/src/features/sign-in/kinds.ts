import { t } from '@/lib/i18n'

export type Kind = 'entra' | 'okta' | 'google' | 'zitadel' | 'other'

type Hint = { label: string; issuer: string; steps: string[]; scopes: string; groupsClaim: string }

/** Where each product keeps what is asked for here, and what it calls it. */
export const kinds: Record<Kind, Hint> = {
  entra: {
    label: 'Microsoft Entra ID',
    issuer: 'https://login.microsoftonline.com/<tenant id>/v2.0',
    steps: [
      t('Entra admin center › App registrations › New registration; redirect URI of type “Web”: the address below.'),
      t('Certificates & secrets › New client secret: copy its value, not its id.'),
      t('Token configuration › Add optional claim › ID token: email. Add groups claim for group mappings; it carries ids of groups, not names.'),
    ],
    scopes: 'openid profile email',
    groupsClaim: 'groups',
  },
  okta: {
    label: 'Okta',
    issuer: 'https://<your domain>.okta.com',
    steps: [
      t('Applications › Create App Integration › OIDC, Web Application; sign-in redirect URI: the address below.'),
      t('Assign the people or groups who may sign in.'),
      t('For group mappings: Sign On › OpenID Connect ID Token › Groups claim “groups”, filter “Matches regex .*”; then add the scope groups.'),
    ],
    scopes: 'openid profile email groups',
    groupsClaim: 'groups',
  },
  google: {
    label: 'Google Workspace',
    issuer: 'https://accounts.google.com',
    steps: [
      t('Google Cloud console › APIs & Services › Credentials › OAuth client ID of type “Web application”; authorized redirect URI: the address below.'),
      t('OAuth consent screen: user type “Internal”, so that only your people get in.'),
      t('Google tells no groups: give seats and roles here, or to everybody with an empty group.'),
    ],
    scopes: 'openid profile email',
    groupsClaim: 'groups',
  },
  zitadel: {
    label: 'Zitadel',
    issuer: 'https://<your instance>.zitadel.cloud',
    steps: [
      t('Project › New application › Web, authentication method “Basic” or “PKCE”; redirect URI: the address below.'),
      t('Token settings: “User Info inside ID Token” on.'),
      t('For group mappings by role: project setting “Assert Roles on Authentication” on, and the claim of roles under “Claims” below.'),
    ],
    scopes: 'openid profile email',
    groupsClaim: 'groups',
  },
  other: {
    label: t('Another OpenID Connect provider'),
    issuer: 'https://id.example.com',
    steps: [t('Register a confidential web client that uses the code flow; its redirect URI: the address below.'), t('It must publish /.well-known/openid-configuration below the issuer and tell a verified e-mail address.')],
    scopes: 'openid profile email',
    groupsClaim: 'groups',
  },
}

/** Whose product an issuer belongs to, by its address. */
export function kindOf(issuer: string): Kind {
  let host = ''
  try {
    host = new URL(issuer).hostname
  } catch {
    return 'other'
  }
  if (/(^|\.)(microsoftonline\.com|microsoftonline\.us|windows\.net)$/.test(host)) return 'entra'
  if (/(^|\.)(okta\.com|oktapreview\.com|okta-emea\.com)$/.test(host)) return 'okta'
  if (host === 'accounts.google.com') return 'google'
  if (/(^|\.)zitadel\.cloud$/.test(host)) return 'zitadel'
  return 'other'
}

/** Scopes as one types them; `openid` is always asked for. */
export const parseScopes = (text: string): string[] => [...new Set(['openid', ...text.split(/[\s,]+/).filter(Boolean)])]
