import { createContext, useContext } from 'react'
import type { Plane, SupportPartsFragment, ViewerPartsFragment } from './generated/graphql'

export type Viewer = ViewerPartsFragment & { support?: SupportPartsFragment | null }

const Context = createContext<Viewer | null>(null)

export const ViewerProvider = Context.Provider

/** Who is signed in; only below the signed-in part of the page. */
export function useViewer(): Viewer {
  const viewer = useContext(Context)
  if (!viewer) throw new Error('useViewer outside of the signed-in pages')
  return viewer
}

/** Whether the viewer holds an admin's or auditor's role somewhere in the plane. Only decides what is listed; the server decides what is let through. */
export const readsPlane = (viewer: Viewer, plane: Plane) => viewer.roles.some((r) => r.role !== 'MEMBER' && r.kind !== 'PLATFORM' && (r.plane === null || r.plane === undefined || r.plane === plane))

/** Whether the viewer acts in the account as one of its own people, not as support. */
export const ofAccount = (viewer: Viewer) => !viewer.isPlatformStaff && !viewer.support

/** Whether that role reaches the whole plane: providers are shown to nobody else. */
export const readsWholePlane = (viewer: Viewer, plane: Plane) => viewer.roles.some((r) => r.role !== 'MEMBER' && (r.kind === 'ACCOUNT' || r.kind === plane))

export const readsAccount = (viewer: Viewer) => viewer.roles.some((r) => r.role !== 'MEMBER' && r.kind === 'ACCOUNT')

type Permission = { action: string; allowed: boolean; reason: string }

/** What the server says about an action on a node; an action that it doesn't name isn't allowed. */
export const may = (node: { viewerCan: readonly Permission[] | null } | null | undefined, action: string) => node?.viewerCan?.find((p) => p.action === action)?.allowed ?? false
