import { Plus } from 'lucide-react'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { Tabs } from '@/kit/tabs'
import type { ListingStatus } from '@/graphql/generated/graphql'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import type { Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { useWithin } from '@/features/roles'
import { Share } from './edit'
import { Gallery } from './gallery'
import { OwnListings } from './own'
import { usePlaces } from './places'
import { NewPlatformListing } from './platform-form'
import { statusName } from './words'

const note = t('Agents, templates, connections and models: from the platform, and shared by colleagues.')

/** The marketplace as admins and auditors of Copilot see it. */
export function MarketplacePage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ tab: string; new: string }>()
  const { allowed } = useWithin('listing.create', plane)
  const { open } = usePlaces('plane')
  useKeys({ c: () => allowed && setUrl({ new: 'listing' }) })
  const share = () => setUrl({ new: 'listing' })
  return (
    <>
      <PageHead title={t('Marketplace')} note={note}>
        {allowed && (
          <Button variant="primary" size="sm" onClick={share}>
            <Plus aria-hidden /> {t('Share something')}
          </Button>
        )}
      </PageHead>
      {allowed ? (
        <Tabs
          label={t('Marketplace')}
          value={url.tab === 'own' ? 'own' : 'all'}
          onChange={(tab) => setUrl({ tab: tab === 'own' ? tab : undefined })}
          tabs={[
            { value: 'all', label: t('Discover'), content: <Gallery home="plane" /> },
            { value: 'own', label: t('Shared by us'), content: <OwnListings home="plane" onNew={share} /> },
          ]}
        />
      ) : (
        <Gallery home="plane" />
      )}
      {url.new === 'listing' && allowed && <Share onClose={() => setUrl({ new: undefined })} onMade={(id) => void open(id)} />}
    </>
  )
}

const states: { value: ListingStatus | ''; label: string }[] = [{ value: '', label: t('Every state') }, ...(Object.entries(statusName) as [ListingStatus, string][]).map(([value, label]) => ({ value, label }))]

/** What the platform lists, for its own people. */
export function PlatformMarketplacePage() {
  const [url, setUrl] = useUrl<{ q: string; state: string; new: string }>()
  const { open } = usePlaces('platform')
  const admin = useViewer().roles.some((r) => r.role === 'ADMIN' && r.kind === 'PLATFORM')
  const search = useDebounced(url.q ?? '')
  const state = states.find((s) => s.value && s.value === url.state)?.value || undefined
  const create = () => setUrl({ new: 'listing' })
  useKeys({ c: () => admin && create() })
  return (
    <>
      <PageHead title={t('Marketplace')} note={t('What accounts can install. Each is offered to all of them, or to some.')}>
        <Select aria-label={t('State')} value={url.state ?? ''} onChange={(s) => setUrl({ state: s || undefined })} options={states} className="h-8 w-36 max-sm:w-full" />
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search listings')} />
        {admin && (
          <Button variant="primary" size="sm" onClick={create}>
            <Plus aria-hidden /> {t('New listing')}
          </Button>
        )}
      </PageHead>
      <OwnListings home="platform" status={state} search={search || undefined} onNew={admin ? create : undefined} />
      {url.new === 'listing' && admin && <NewPlatformListing onClose={() => setUrl({ new: undefined })} onMade={(id) => void open(id)} />}
    </>
  )
}
