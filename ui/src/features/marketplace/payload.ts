import type { ListingKind } from '@/graphql/generated/graphql'
import { entries } from './words'

/** What a listing of the platform brings, as its form holds it. */
export type Draft = {
  // An agent's, a template's.
  purpose: string
  model: string
  instructions: string
  starters: string
  // A connection's.
  kind: 'MCP_HTTP' | 'MCP_SSE' | 'OPENAPI'
  url: string
  documentUrl: string
  auth: 'NONE' | 'BEARER' | 'HEADER' | 'BASIC' | 'OAUTH'
  authName: string
  credential: 'SHARED' | 'PERSONAL'
  oauth: string
}

export const emptyDraft: Draft = { purpose: '', model: '', instructions: '', starters: '', kind: 'MCP_HTTP', url: '', documentUrl: '', auth: 'NONE', authName: '', credential: 'PERSONAL', oauth: '' }

type Values = Record<string, unknown>

const some = (values: Values): Values => Object.fromEntries(Object.entries(values).filter(([, v]) => v !== '' && v !== undefined && !(Array.isArray(v) && v.length === 0)))

/** The payload that a form says; `rest` is what an earlier one had beyond the form, which stays. */
export function payloadOf(listing: ListingKind, d: Draft, rest: Values = {}): string {
  if (listing === 'CONNECTION') {
    const oauth: unknown = d.auth === 'OAUTH' && d.oauth.trim() ? JSON.parse(d.oauth) : undefined
    const openApi = d.kind === 'OPENAPI'
    const same = rest.documentUrl === d.documentUrl && rest.kind === d.kind
    return JSON.stringify(some({ ...rest, kind: d.kind, url: d.url.trim(), document: openApi && same ? rest.document : undefined, documentUrl: openApi ? d.documentUrl.trim() : undefined, auth: d.auth, authName: d.auth === 'HEADER' ? d.authName.trim() : undefined, credential: d.credential, oauth }))
  }
  const definition = some({ ...(rest.definition as Values | undefined), instructions: d.instructions, starters: entries(d.starters, /\n/) })
  return JSON.stringify(some({ ...rest, purpose: d.purpose.trim(), model: d.model, definition }))
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The form of a payload; what it has beyond comes along as `rest`. */
export function draftOf(payload: string): { draft: Draft; rest: Values } {
  const rest = JSON.parse(payload) as Values
  const definition = (rest.definition ?? {}) as Values
  const starters = Array.isArray(definition.starters) ? definition.starters.map(text).join('\n') : ''
  return {
    rest,
    draft: {
      purpose: text(rest.purpose),
      model: text(rest.model),
      instructions: text(definition.instructions),
      starters,
      kind: (text(rest.kind) || 'MCP_HTTP') as Draft['kind'],
      url: text(rest.url),
      documentUrl: text(rest.documentUrl),
      auth: (text(rest.auth) || 'NONE') as Draft['auth'],
      authName: text(rest.authName),
      credential: (text(rest.credential) || 'SHARED') as Draft['credential'],
      oauth: rest.oauth ? JSON.stringify(rest.oauth, null, 2) : '',
    },
  }
}
