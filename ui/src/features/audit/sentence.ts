import type { AuditPartsFragment } from '@/graphql/generated/graphql'
import { exact, fromNano, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { words } from './words'

type AuditChange = AuditPartsFragment['changes'][number]

export type Told = Pick<AuditPartsFragment, 'action' | 'outcome' | 'actorName' | 'targetName' | 'location' | 'changes'>

export type Sentence = { verb: string; target: string; detail: string }

const amounts = new Set(['share', 'lim', 'limit', 'overflow', 'reserve', 'raised', 'rolloverCap', 'ceiling', 'input', 'output', 'cached_input', 'cache_write', 'reasoning', 'request'])
const dollars = new Set(['ceiling', 'input', 'output', 'cached_input', 'cache_write', 'reasoning', 'request'])
const named: Record<string, string> = { ADMIN: t('admin'), VIEWER: t('auditor'), MEMBER: t('user'), ALLOW: t('allowed'), DENY: t('denied') }

/** What amounts are counted in; where both products meet, credits are called that. Null: nobody knows. */
export type Counted = Unit | 'NAMED_CREDITS' | null

/** A value of a change as a person reads it. Amounts come as integer nanos, or as decimals in quotes. */
export function value(change: Pick<AuditChange, 'field'>, json: string | null | undefined, unit: Counted): string {
  if (json === null || json === undefined) return '–'
  if (amounts.has(change.field)) {
    // Without a unit, the bare number.
    const amount = /^-?\d+$/.test(json) ? fromNano(json) : /^"-?\d+(\.\d+)?"$/.test(json) ? json.slice(1, -1) : undefined
    if (amount !== undefined) {
      if (dollars.has(change.field)) return exact(amount, 'USD')
      if (unit === 'NAMED_CREDITS') return t('{{amount}} credits', { amount: exact(amount, 'CREDITS') })
      return exact(amount, unit ?? 'CREDITS')
    }
  }
  try {
    const parsed: unknown = JSON.parse(json)
    if (Array.isArray(parsed) && parsed.every((p) => typeof p === 'string')) return parsed.join(', ') || '–'
    if (typeof parsed === 'boolean') return parsed ? t('yes') : t('no')
    return typeof parsed === 'string' ? parsed : json
  } catch {
    return json
  }
}

/** A field's name as a person reads it. */
export const fieldName = (field: string) => (field === 'lim' ? t('limit') : field.replaceAll('_', ' ').replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`))

const has = (json: string | null | undefined): json is string => json !== null && json !== undefined

const find = (e: Pick<Told, 'changes'>, ...fields: string[]) => e.changes.find((c) => fields.includes(c.field))

const after = (e: Pick<Told, 'changes'>, field: string) => {
  const change = find(e, field)
  return change && value(change, change.after ?? change.before, null)
}

/** "10,000 → 12,000", or the one that there is. */
function fromTo(change: AuditChange | undefined, unit: Counted): string {
  if (!change) return ''
  const [was, is] = [change.before, change.after].map((v) => (has(v) ? value(change, v, unit) : undefined))
  return was !== undefined && is !== undefined ? `${was} → ${is}` : (is ?? '')
}

const number = (json: string) => Number(json.replaceAll('"', ''))

function limitVerb(change: AuditChange | undefined): string {
  if (!change || !has(change.before) || !has(change.after)) return words['budget.set']![0]
  return number(change.after) < number(change.before) ? t('lowered the limit of') : t('raised the limit of')
}

/** Where two planes or parts have equal names, the place tells them apart. */
function at(e: Told): string {
  const end = ` / ${e.targetName}`
  const place = e.location === e.targetName ? '' : e.location.endsWith(end) ? e.location.slice(0, -end.length) : e.location
  return place && t('in {{place}}', { place })
}

/** What was done with what is peculiar to it: the one change worth its place in the sentence. */
function done(e: Told, unit: Counted): Pick<Sentence, 'verb' | 'detail'> {
  const verb = words[e.action]?.[0] ?? e.action
  switch (e.action) {
    case 'budget.set': {
      const change = find(e, 'lim', 'limit')
      if (!change && e.changes.length > 0) return { verb: t('changed the budget of'), detail: '' }
      return { verb: limitVerb(change), detail: fromTo(change, unit) }
    }
    case 'budget.move':
      return { verb, detail: fromTo(find(e, 'limit'), unit) }
    case 'budget.increase':
      return { verb, detail: fromTo(find(e, 'raised'), unit) }
    case 'grant.set': {
      const effect = after(e, 'effect')
      return { verb: effect === 'ALLOW' ? t('allowed') : effect === 'DENY' ? t('denied') : verb, detail: at(e) }
    }
    case 'grant.remove':
      return { verb, detail: at(e) }
    case 'role.bind': {
      const role = after(e, 'role')
      return { verb, detail: e.location ? t('{{role}} of {{place}}', { role: named[role ?? ''] ?? role ?? '', place: e.location }) : (named[role ?? ''] ?? role ?? '') }
    }
    case 'role.unbind': {
      const role = after(e, 'role')
      return { verb, detail: [named[role ?? ''] ?? role, at(e)].filter(Boolean).join(' ') }
    }
    case 'member.move':
      return { verb, detail: fromTo(find(e, 'team'), unit) }
    case 'team.move':
      return { verb, detail: fromTo(find(e, 'organization'), unit) }
    case 'account.factor':
      return { verb, detail: fromTo(find(e, 'factor', 'credit_factor', 'factor_ppm'), unit) }
    case 'member.create':
    case 'key.create':
    case 'invitation.create':
      return { verb, detail: at(e) }
    default: {
      const name = e.action.endsWith('.update') ? find(e, 'name') : undefined
      return { verb, detail: name && has(name.before) ? fromTo(name, unit) : '' }
    }
  }
}

/** The event in words: the actor's name goes before, the target's name between verb and detail. */
export function sentence(e: Told, unit: Counted): Sentence {
  // Signing in happens to oneself: naming the target would say the name twice.
  const target = e.targetName === e.actorName ? '' : e.targetName
  if (e.outcome === 'DONE') return { target, ...done(e, unit) }
  const act = words[e.action]?.[1] ?? e.action
  return { verb: e.outcome === 'REFUSED' ? t('was not allowed to {{act}}', { act }) : t('failed to {{act}}', { act }), target, detail: '' }
}
