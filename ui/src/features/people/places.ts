import { useMemo } from 'react'
import { RolePlacesDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { t } from '@/lib/i18n'
import { type BindPlace, placeName } from '@/features/roles'

/** Nodes of the account at which the viewer may hand out roles. */
export function useRolePlaces(): readonly BindPlace[] {
  const { planes, name, id } = useViewer().account
  const { data } = useRead(RolePlacesDocument, { console: planes.includes('CONSOLE'), copilot: planes.includes('COPILOT') })
  return useMemo(() => {
    const found: BindPlace[] = []
    if (may(data?.account, 'role.bind')) found.push({ id, kind: 'ACCOUNT', label: t('All of {{account}}', { account: name }) })
    for (const [root, plane] of [
      [data?.console, t('Console')],
      [data?.copilot, t('Copilot')],
    ] as const) {
      if (!root) continue
      for (const node of [root, ...root.scopes.edges.map((e) => e.node)]) if (may(node, 'role.bind')) found.push({ id: node.id, kind: node.kind, label: placeName(node, node.location, name), note: node.kind === 'ORGANIZATION' || node.kind === 'TEAM' ? plane : undefined })
    }
    return found
  }, [data, id, name])
}
