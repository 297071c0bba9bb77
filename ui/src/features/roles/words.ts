import type { Role, ScopeKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'

export const roleName: Record<Role, string> = { ADMIN: t('Admin'), VIEWER: t('Auditor'), MEMBER: t('User') }

/** What a role lets somebody do at a node of this kind, in a sentence. */
export function roleMeans(role: Role, kind: ScopeKind): string {
  if (role === 'MEMBER') return t('Uses the models that are granted to the team, out of its budget.')
  const whole = kind === 'PLATFORM' ? t('the platform') : kind === 'ACCOUNT' ? t('the whole account, Console and Copilot') : kind === 'CONSOLE' ? t('all of Console') : kind === 'COPILOT' ? t('all of Copilot') : kind === 'ORGANIZATION' ? t('the organization and all its teams') : t('the team')
  return role === 'ADMIN' ? t('Changes everything in {{where}}.', { where: whole }) : t('Sees everything in {{where}}, changes nothing.', { where: whole })
}

type Place = { name: string; kind: ScopeKind }

/**
 * A node's place as people say it: "Banking / Risk", "All of Console". Places of roles and invitations end with the node
 * itself. With a plane it stands beside places of the other one.
 */
export function placeName(scope: Place, location: string, account: string, plane?: Plane): string {
  switch (scope.kind) {
    case 'ACCOUNT':
      return t('All of {{account}}', { account })
    case 'CONSOLE':
      return t('All of Console')
    case 'COPILOT':
      return t('All of Copilot')
    case 'PLATFORM':
      return t('The platform')
    default: {
      const path = location === scope.name || location.endsWith(` / ${scope.name}`) ? location : [location, scope.name].filter(Boolean).join(' / ')
      return plane ? `${nameOf(plane)}: ${path}` : path
    }
  }
}
