import type { AuditPartsFragment } from '@/graphql/generated/graphql'
import { exact, fromNano, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

type AuditChange = AuditPartsFragment['changes'][number]

const verbs: Record<string, string> = {
  'budget.set': t('set the limit of'),
  'budget.remove': t('removed the limit of'),
  'key.create': t('created the key'),
  'key.revoke': t('revoked the key'),
  'provider.create': t('added the provider'),
  'provider.update': t('changed the provider'),
  'provider.test': t('tested the provider'),
  'model.create': t('added the model'),
  'model.update': t('changed the model'),
  'model.install': t('switched on'),
  'model.uninstall': t('switched off'),
  'modelPrice.publish': t('published a price for'),
  'centralProvider.create': t('added the upstream'),
  'centralProvider.update': t('changed the upstream'),
  'centralProvider.test': t('tested the upstream'),
  'catalogModel.create': t('added to the catalogue'),
  'catalogModel.update': t('changed in the catalogue'),
  'catalogPrice.publish': t('published a price for'),
  'session.create': t('signed in'),
  'session.end': t('signed out'),
  'account.create': t('created the account'),
  'account.factor': t('set the credit factor of'),
  'platform.create': t('set up'),
  'organization.create': t('created the organization'),
  'team.create': t('created the team'),
  'member.create': t('gave a seat to'),
  'user.create': t('added the user'),
  'role.bind': t('gave a role to'),
  'model.price': t('published a price for'),
}

/** What was done, in a few words; an action without words of its own speaks for itself. */
export const verb = (action: string) => verbs[action] ?? action

// Signing in happens to oneself: naming the target would say the name twice.
export const speaksOfItself = (e: Pick<AuditPartsFragment, 'actorName' | 'targetName'>) => e.actorName === e.targetName

const amounts = new Set(['lim', 'limit', 'overflow', 'ceiling', 'input', 'output', 'cached_input', 'cache_write', 'reasoning', 'request'])
const dollars = new Set(['ceiling', 'input', 'output', 'cached_input', 'cache_write', 'reasoning', 'request'])

/** A value of a change as a person reads it. Amounts come as integer nanos, or as decimals in quotes. */
export function value(change: Pick<AuditChange, 'field'>, json: string | null | undefined, unit: Unit): string {
  if (json === null || json === undefined) return '–'
  if (amounts.has(change.field)) {
    const counted = dollars.has(change.field) ? 'USD' : unit
    if (/^-?\d+$/.test(json)) return exact(fromNano(json), counted)
    if (/^"-?\d+(\.\d+)?"$/.test(json)) return exact(json.slice(1, -1), counted)
  }
  try {
    const parsed: unknown = JSON.parse(json)
    return typeof parsed === 'string' ? parsed : json
  } catch {
    return json
  }
}

/** The one change worth its place in the sentence: the limit. */
export function headline(e: Pick<AuditPartsFragment, 'action' | 'changes'>, unit: Unit): string {
  const change = e.action === 'budget.set' && e.changes.find((c) => c.field === 'lim' || c.field === 'limit')
  if (!change) return ''
  return change.before === null || change.before === undefined ? value(change, change.after, unit) : `${value(change, change.before, unit)} → ${value(change, change.after, unit)}`
}
