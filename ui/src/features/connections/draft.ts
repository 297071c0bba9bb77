import type { ConnectionAuth, ConnectionCreateInput, ConnectionCredentialOwner, ConnectionKind, ConnectionPartsFragment, ConnectionUpdateInput } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

/** A connection as it is typed in. */
export type Draft = {
  kind: ConnectionKind
  name: string
  description: string
  icon: string
  url: string
  /** An OpenAPI document is read from an address, or given here. */
  source: 'address' | 'text'
  documentUrl: string
  document: string
  /** Words of a stdio server, as JSON. */
  command: string
  /** What of Composio it is, and how people connect accounts of that. */
  toolkit: string
  authConfig: string
  auth: ConnectionAuth
  authName: string
  credential: ConnectionCredentialOwner
  /** The authorization server tells its addresses, or they are given. */
  tells: 'server' | 'issuer' | 'addresses'
  issuer: string
  authorizeUrl: string
  tokenUrl: string
  clientId: string
  clientSecret: string
  scopes: string
}

export const empty: Draft = {
  kind: 'MCP_HTTP',
  name: '',
  description: '',
  icon: '',
  url: '',
  source: 'address',
  documentUrl: '',
  document: '',
  command: '',
  toolkit: '',
  authConfig: '',
  auth: 'NONE',
  authName: '',
  credential: 'SHARED',
  tells: 'server',
  issuer: '',
  authorizeUrl: '',
  tokenUrl: '',
  clientId: '',
  clientSecret: '',
  scopes: '',
}

export const draftOf = (c: ConnectionPartsFragment): Draft => ({
  ...empty,
  kind: c.kind,
  name: c.name,
  description: c.description,
  icon: c.icon,
  url: c.url,
  source: c.kind === 'OPENAPI' && !c.documentUrl ? 'text' : 'address',
  documentUrl: c.documentUrl,
  command: JSON.stringify(c.command),
  toolkit: c.toolkit,
  authConfig: c.authConfig,
  auth: c.auth,
  authName: c.authName,
  credential: c.credential,
  tells: c.oauth?.authorizeUrl ? 'addresses' : c.oauth?.issuer ? 'issuer' : 'server',
  issuer: c.oauth?.issuer ?? '',
  authorizeUrl: c.oauth?.authorizeUrl ?? '',
  tokenUrl: c.oauth?.tokenUrl ?? '',
  clientId: c.oauth?.clientId ?? '',
  scopes: (c.oauth?.scopes ?? []).join(' '),
})

export const isMcp = (kind: ConnectionKind) => kind === 'MCP_HTTP' || kind === 'MCP_SSE'

/** Another kind signs in as it can: programs by their variables, Composio by its API key. */
export function ofKind(d: Draft, kind: ConnectionKind): Partial<Draft> {
  if (kind === 'MCP_STDIO') return { kind, auth: 'NONE' }
  if (kind === 'COMPOSIO') return { kind, auth: 'HEADER' }
  return { kind, auth: d.kind === 'COMPOSIO' ? 'NONE' : d.auth }
}

/** Whether people are led elsewhere to sign in, rather than giving something. */
export const isLed = (c: Pick<Draft, 'auth' | 'kind'>) => c.auth === 'OAUTH' || c.kind === 'COMPOSIO'

/** Whether it signs in by something that is typed in. */
export const takesSecret = (d: Pick<Draft, 'auth' | 'kind'>) => d.kind === 'MCP_STDIO' || (d.auth !== 'NONE' && d.auth !== 'OAUTH')

/** The server's refusals by field; those of the OAuth settings stand below them. */
export function refusals(errors: readonly { message: string; path: readonly string[] }[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const e of errors) {
    const field = e.path.flatMap((p) => p.split('.')).find((p) => p !== 'input' && p !== 'oauth')
    found[field ?? ''] ??= e.message
  }
  return found
}

const wellNamed = /^[a-z0-9]+([-_][a-z0-9]+)*$/
const address = (s: string) => /^https?:\/\/[^\s<>]+$/.test(s.trim())

/** What can't be sent yet, by field: first of where it leads, then of how it signs in. */
export function mistakes(d: Draft, step: 'place' | 'auth', editing = false): Record<string, string> {
  const found: Record<string, string> = {}
  if (step === 'place') {
    if (!wellNamed.test(d.name.trim()) || d.name.trim().length > 40) found.name = t('1–40 small letters and digits, with single - or _ between.')
    if (isMcp(d.kind) && !address(d.url)) found.url = t('Enter the whole address, beginning with https://.')
    if (d.kind === 'OPENAPI') {
      if (d.source === 'address' && !address(d.documentUrl)) found.documentUrl = t('Enter the whole address, beginning with https://.')
      if (d.source === 'text' && !d.document.trim() && !editing) found.document = t('Paste the document, or choose its file.')
      if (d.url.trim() && !address(d.url)) found.url = t('Enter the whole address, beginning with https://.')
    }
    if (d.kind === 'MCP_STDIO' && !d.command) found.command = t('Choose a program.')
    if (d.kind === 'COMPOSIO' && !/^[a-z0-9][a-z0-9_-]{0,99}$/.test(d.toolkit.trim())) found.toolkit = t('Name the toolkit as Composio does, such as github: small letters and digits, - and _.')
    return found
  }
  if (d.kind === 'COMPOSIO') {
    if (d.credential === 'PERSONAL' && !d.authConfig.trim()) found.authConfig = t('People link accounts of their own by an auth config: give its id.')
    else if (!/^[A-Za-z0-9_-]{0,100}$/.test(d.authConfig.trim())) found.authConfig = t('Give the id that Composio shows, such as ac_1a2b3c.')
    return found
  }
  if (d.auth === 'HEADER' && !/^\??[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(d.authName.trim())) found.authName = t('Name the header, such as X-API-Key, or the parameter, such as ?api_key.')
  if (d.auth === 'OAUTH') {
    // A server registers Cockpit where it tells how; a secret is nobody's without its client.
    if (!d.clientId.trim() && (d.tells === 'addresses' || d.clientSecret)) found.clientId = t('Enter what the authorization server calls Cockpit.')
    if (d.tells === 'server' && !isMcp(d.kind)) found.tells = t('Only MCP servers tell it. Name the issuer, or give the addresses.')
    if (d.tells === 'issuer' && !address(d.issuer)) found.issuer = t('Enter the whole address, beginning with https://.')
    if (d.tells === 'addresses') {
      if (!address(d.authorizeUrl)) found.authorizeUrl = t('Enter the whole address, beginning with https://.')
      if (!address(d.tokenUrl)) found.tokenUrl = t('Enter the whole address, beginning with https://.')
    }
  }
  return found
}

type Common = Omit<ConnectionCreateInput, 'scopeId' | 'kind' | 'approve' | 'clientKey'>

const text = (s: string) => s.trim()

function inputOf(d: Draft): Common {
  return {
    name: text(d.name),
    description: text(d.description),
    icon: d.icon,
    url: d.kind === 'MCP_STDIO' || d.kind === 'COMPOSIO' ? undefined : text(d.url) || undefined,
    command: d.kind === 'MCP_STDIO' && d.command ? (JSON.parse(d.command) as string[]) : undefined,
    document: d.kind === 'OPENAPI' && d.source === 'text' && d.document.trim() ? d.document : undefined,
    documentUrl: d.kind === 'OPENAPI' && d.source === 'address' ? text(d.documentUrl) : undefined,
    toolkit: d.kind === 'COMPOSIO' ? text(d.toolkit) : undefined,
    authConfig: d.kind === 'COMPOSIO' ? text(d.authConfig) : undefined,
    auth: d.kind === 'COMPOSIO' ? undefined : d.auth,
    authName: d.auth === 'HEADER' && d.kind !== 'COMPOSIO' ? text(d.authName) : undefined,
    credential: d.credential,
    oauth:
      d.auth === 'OAUTH'
        ? {
            issuer: d.tells === 'issuer' ? text(d.issuer) : undefined,
            authorizeUrl: d.tells === 'addresses' ? text(d.authorizeUrl) : undefined,
            tokenUrl: d.tells === 'addresses' ? text(d.tokenUrl) : undefined,
            clientId: text(d.clientId) || undefined,
            clientSecret: d.clientSecret || undefined,
            scopes: d.scopes.split(/[\s,]+/).filter(Boolean),
          }
        : undefined,
  }
}

export const createInput = (d: Draft, scopeId: string): ConnectionCreateInput => ({ ...inputOf(d), kind: d.kind, scopeId })

/** Only what was changed: what is sent again unchanged may mean that people sign in anew. */
export function updateInput(d: Draft, was: ConnectionPartsFragment): ConnectionUpdateInput {
  const [now, before] = [inputOf(d), inputOf(draftOf(was))]
  const changed: Partial<Common> = Object.fromEntries(Object.entries(now).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify(before[k as keyof Common])))
  // With its client the secret goes, or the server would miss whose it is.
  if (changed.oauth && !now.oauth?.clientId && was.oauth?.clientSecretHint) changed.oauth = { ...now.oauth, clientSecret: '' }
  return { ...changed, connectionId: was.id, expectedVersion: was.version }
}

const origin = (s: string) => {
  try {
    return new URL(s).origin
  } catch {
    return s
  }
}

/** Whether everybody signs in anew after that change: their credentials were for another server, or mean something else. */
export function forgets(d: Draft, was: ConnectionPartsFragment): boolean {
  const { connectionId: _, expectedVersion: __, ...change } = updateInput(d, was)
  const { clientSecret: ___, ...oauth } = change.oauth ?? {}
  const { clientSecret: ____, ...before } = inputOf(draftOf(was)).oauth ?? {}
  return (change.url !== undefined && origin(change.url ?? '') !== origin(was.url)) || change.command !== undefined || change.toolkit !== undefined || change.authConfig !== undefined || change.auth !== undefined || change.authName !== undefined || change.credential !== undefined || (change.oauth !== undefined && JSON.stringify(oauth) !== JSON.stringify(before))
}
