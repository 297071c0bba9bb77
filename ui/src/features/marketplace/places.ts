import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useViewer } from '@/graphql/viewer'

/** From where one looks: the plane's pages, one's own, or the platform's. */
export type Home = 'plane' | 'me' | 'platform'

/** The ways between the pages of the marketplace. */
export function usePlaces(home: Home) {
  const { slug } = useViewer().account
  const navigate = useNavigate()
  return useMemo(() => {
    const base = home === 'platform' ? '/sa/marketplace' : home === 'me' ? '/me/marketplace' : `/a/${slug}/copilot/marketplace`
    const listing = (id: string) => `${base}/${id}`
    return { base, listing, open: (id: string) => navigate({ href: listing(id) }), agent: (id: string) => (home === 'plane' ? `/a/${slug}/copilot/agents/${id}` : undefined) }
  }, [home, slug, navigate])
}
