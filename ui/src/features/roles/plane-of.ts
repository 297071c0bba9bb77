import { useViewer } from '@/graphql/viewer'
import type { Plane } from '@/lib/plane'

/** Tells of a place which plane it is in; of nothing, where an account has but one. */
export function usePlaneOf(): (scope: { plane?: Plane | null }) => Plane | undefined {
  const both = useViewer().account.planes.length > 1
  return (scope) => (both ? (scope.plane ?? undefined) : undefined)
}
