import { useCallback, useEffect, useMemo } from 'react'
import { ScopePlanesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { ask, pick, type Plane } from '@/lib/plane'

function useIds(plane: Plane, wanted: boolean) {
  const { rows, more, fetching } = usePages(ScopePlanesDocument, ask(plane), (d) => pick(d)?.scopes, !wanted)
  useEffect(() => {
    if (more && !fetching) more()
  })
  return rows
}

/** Tells of organizations and teams which plane they are in; of nothing, where an account has but one. */
export function usePlaneOf(wanted = true): (scopeId: string) => Plane | undefined {
  const { planes: used } = useViewer().account
  const both = wanted && used.length > 1
  const console = useIds('CONSOLE', both)
  const copilot = useIds('COPILOT', both)
  const planes = useMemo(() => new Map<string, Plane>([...console.map((n) => [n.id, 'CONSOLE'] as const), ...copilot.map((n) => [n.id, 'COPILOT'] as const)]), [console, copilot])
  return useCallback((id) => planes.get(id), [planes])
}
