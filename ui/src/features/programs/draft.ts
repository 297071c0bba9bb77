import type { ProgramPartsFragment } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'

/** A program as it is made known or changed. */
export type Draft = {
  name: string
  description: string
  public: boolean
  consent: boolean
  redirectUris: string
  clientCredentials: boolean
  tokenExchange: boolean
  trustedSubjects: boolean
  planes: Plane[]
  permissions: string[]
}

export const emptyDraft: Draft = { name: '', description: '', public: false, consent: true, redirectUris: '', clientCredentials: false, tokenExchange: false, trustedSubjects: false, planes: [], permissions: ['profile', 'read'] }

export const draftOf = (p: ProgramPartsFragment): Draft => ({
  name: p.name,
  description: p.description,
  public: p.public,
  consent: p.redirectUris.length > 0,
  redirectUris: p.redirectUris.join('\n'),
  clientCredentials: p.clientCredentials,
  tokenExchange: p.tokenExchange,
  trustedSubjects: p.trustedSubjects,
  planes: [...p.planes],
  permissions: p.permissions.map((x) => x.name),
})

export const uris = (d: Pick<Draft, 'consent' | 'redirectUris'>) => (d.consent ? [...new Set(d.redirectUris.split(/\s+/).filter(Boolean))] : [])

/** What is sent: choices that don't go together are left out. */
export const toInput = (d: Draft) => ({
  name: d.name.trim(),
  description: d.description.trim(),
  planes: d.planes,
  permissions: d.permissions,
  redirectUris: uris(d),
  clientCredentials: !d.public && d.clientCredentials,
  tokenExchange: !d.public && d.tokenExchange,
  trustedSubjects: !d.public && d.tokenExchange && d.trustedSubjects,
})

function redirectProblem(uri: string): string | undefined {
  let url: URL
  try {
    url = new URL(uri)
  } catch {
    return t('“{{uri}}” isn\'t a whole address such as https://app.example.com/callback.', { uri: uri.slice(0, 60) })
  }
  if (url.username || uri.includes('#') || uri.includes('*')) return t('“{{uri}}” has a user, a fragment or a wildcard: give the exact address.', { uri: uri.slice(0, 60) })
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) return t('“{{uri}}” must begin with https://; http:// is for this machine alone.', { uri: uri.slice(0, 60) })
}

export const steps = ['what', 'how', 'may'] as const
export type StepName = (typeof steps)[number]

const fieldsOf: Record<StepName, readonly string[]> = {
  what: ['name', 'description', 'public'],
  how: ['redirectUris', 'clientCredentials', 'tokenExchange', 'trustedSubjects', 'flows'],
  may: ['planes', 'permissions'],
}

/** The first step that has one of the fields; none for what belongs to no step. */
export const stepOf = (fields: readonly string[]): StepName | undefined => steps.find((s) => fields.some((f) => fieldsOf[s].includes(f)))

/** What is missing in a step, by field. */
export function problems(d: Draft, step: StepName): Record<string, string> {
  const found: Record<string, string> = {}
  if (step === 'what') {
    if (!d.name.trim()) found.name = t('Enter the name that people see when it asks them.')
    if (d.description.trim().length > 500) found.description = t('At most 500 characters.')
  }
  if (step === 'how') {
    const list = uris(d)
    if (d.consent && list.length === 0) found.redirectUris = t('Enter the address that people are sent back to.')
    else if (list.length > 20) found.redirectUris = t('At most 20 addresses.')
    else {
      const problem = list.map(redirectProblem).find(Boolean)
      if (problem) found.redirectUris = problem
    }
    if (!d.consent && (d.public || (!d.clientCredentials && !d.tokenExchange))) found.flows = t('Choose at least one way: without any it can do nothing.')
  }
  if (step === 'may') {
    if (d.planes.length === 0) found.planes = t('Choose at least one plane for it to act in.')
    if (d.permissions.length === 0) found.permissions = t('Choose at least one: without permissions it can do nothing.')
  }
  return found
}

/** How it acts, in a few words each. */
export function ways(p: Pick<ProgramPartsFragment, 'redirectUris' | 'clientCredentials' | 'tokenExchange' | 'trustedSubjects'>): string[] {
  return [p.redirectUris.length > 0 && t('for people who consent'), p.clientCredentials && t('for itself'), p.tokenExchange && (p.trustedSubjects ? t('for people it names') : t('for people whose token it shows'))].filter((w): w is string => Boolean(w))
}
