import type { ScopeKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'

type Action = { act: string; at: readonly ScopeKind[]; plane?: Plane }

const plane = ['CONSOLE', 'COPILOT'] as const
const parts = [...plane, 'ORGANIZATION', 'TEAM'] as const
const all = [...parts, 'MEMBER', 'KEY'] as const

/** What one may ask about in a plane: the action in words, as in "you may …", and where it can be done. */
export const actions: Record<string, Action> = {
  'key.create': { act: t('make virtual keys'), at: [...parts, 'MEMBER'] },
  'key.revoke': { act: t('revoke the key'), at: ['KEY'] },
  'agent.create': { act: t('make agents'), at: ['COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER'], plane: 'COPILOT' },
  'connection.create': { act: t('connect sources of tools'), at: ['COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER'], plane: 'COPILOT' },
  'budget.set': { act: t('set its limit'), at: all },
  'budget.remove': { act: t('remove its limit'), at: all },
  'budget.freeze': { act: t('freeze its budget'), at: all },
  'budget.resume': { act: t('resume its budget'), at: all },
  'budget.renew': { act: t('renew its budget by hand'), at: [...plane, 'KEY'] },
  'budget.watch': { act: t('follow what is spent'), at: all },
  'grant.set': { act: t('allow or deny models'), at: all },
  'guardrail.assign': { act: t('assign guardrails'), at: all },
  'guardrail.manage': { act: t('make and change guardrails'), at: plane },
  'grant.read': { act: t('see which models may be used'), at: all },
  'invitation.create': { act: t('invite people'), at: parts },
  'role.bind': { act: t('make somebody admin or auditor'), at: parts },
  'member.list': { act: t('see the people'), at: parts },
  'member.create': { act: t('give somebody a seat'), at: ['TEAM'] },
  'member.delete': { act: t('take the seat away, or move it'), at: ['MEMBER'] },
  'member.default': { act: t('choose the seat that pays'), at: ['MEMBER'] },
  'organization.create': { act: t('make organizations'), at: plane },
  'organization.update': { act: t('rename the organization'), at: ['ORGANIZATION'] },
  'organization.archive': { act: t('archive the organization'), at: ['ORGANIZATION'] },
  'organization.delete': { act: t('delete the organization'), at: ['ORGANIZATION'] },
  'team.create': { act: t('make teams'), at: ['ORGANIZATION'] },
  'team.update': { act: t('rename the team'), at: ['TEAM'] },
  'team.move': { act: t('move the team'), at: ['TEAM'] },
  'team.archive': { act: t('archive the team'), at: ['TEAM'] },
  'team.delete': { act: t('delete the team'), at: ['TEAM'] },
  'provider.create': { act: t('add providers'), at: ['CONSOLE'], plane: 'CONSOLE' },
  'provider.update': { act: t('change providers'), at: ['CONSOLE'], plane: 'CONSOLE' },
  'model.create': { act: t('add models'), at: ['CONSOLE'], plane: 'CONSOLE' },
  'model.update': { act: t('switch models on and off'), at: ['CONSOLE'], plane: 'CONSOLE' },
  'modelPrice.publish': { act: t('publish prices'), at: ['CONSOLE'], plane: 'CONSOLE' },
  'model.install': { act: t('switch models on'), at: ['COPILOT'], plane: 'COPILOT' },
  'model.uninstall': { act: t('switch models off'), at: ['COPILOT'], plane: 'COPILOT' },
  'audit.read': { act: t('read the audit log'), at: all },
}

export const actOf = (action: string) => actions[action]?.act ?? action

const prefixes: Record<string, ScopeKind> = { con: 'CONSOLE', cop: 'COPILOT', org: 'ORGANIZATION', team: 'TEAM', mem: 'MEMBER', key: 'KEY' }

/** The actions that can be done at a scope, by the kind that its id tells; all of the plane's without one. */
export function actionsAt(inPlane: Plane, scopeId?: string) {
  const kind = scopeId && prefixes[scopeId.split('_')[0]!]
  return Object.entries(actions)
    .filter(([, a]) => (!a.plane || a.plane === inPlane) && (!kind || a.at.includes(kind)))
    .map(([value, a]) => ({ value, label: a.act.charAt(0).toUpperCase() + a.act.slice(1) }))
}
