import type { OrganizationPartsFragment, TeamPartsFragment } from '@/graphql/generated/graphql'

/** An organization or a team: what both have. */
export type Node = OrganizationPartsFragment | TeamPartsFragment

type Binding = { role: string; scope: { id: string }; user: { id: string; name: string } }

/** Names of admins by the node at which they hold their role. */
export function adminsByScope(bindings: readonly Binding[]): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>()
  for (const b of bindings) if (b.role === 'ADMIN') found.set(b.scope.id, [...(found.get(b.scope.id) ?? []), b.user.name])
  return found
}
