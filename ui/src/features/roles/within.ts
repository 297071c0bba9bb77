import { WithinDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { ask, type Plane } from '@/lib/plane'

type Node = { id: string; viewerCan: readonly { action: string; allowed: boolean; reason: string }[] }

/**
 * Whether the viewer may do something at a place at least: of one plane, or of the whole account. The node carries the
 * server's reason where they may nowhere; both are missing until that is known.
 */
export function useWithin(action: string, plane?: Plane): { allowed: boolean; node?: Node } {
  const { planes } = useViewer().account
  const { data } = useRead(WithinDocument, { account: !plane, ...(plane ? ask(plane) : { console: planes.includes('CONSOLE'), copilot: planes.includes('COPILOT') }) })
  const within = [data?.console, data?.copilot].flatMap((root) => (root ? [{ id: root.id, viewerCan: root.viewerCanWithin }] : []))
  const nodes = data?.account ? [{ id: data.account.id, viewerCan: data.account.viewerCan }, ...within] : within
  return { allowed: nodes.some((n) => may(n, action)), node: nodes[0] }
}
