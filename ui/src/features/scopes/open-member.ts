import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useViewer } from '@/graphql/viewer'
import { type Plane, slugOf } from '@/lib/plane'

/** Goes to somebody's seat on the page of users. */
export function useOpenMember(plane: Plane) {
  const navigate = useNavigate()
  const { slug } = useViewer().account
  return useCallback((peek: string) => navigate({ to: '/a/$account/$plane/users', params: { account: slug, plane: slugOf(plane) }, search: { peek } }), [navigate, slug, plane])
}
