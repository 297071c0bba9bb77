import { Store } from 'lucide-react'
import { type ListingFilter, type ListingKind, MarketplaceDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Card } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { ListingCard } from './card'
import { type Home, usePlaces } from './places'
import { kinds, orders } from './words'

type Url = { q: string; kind: string; category: string; sort: string }

/** What is offered, the featured first: to look through by kind, by category, by typing, and by j and k. */
export function Gallery({ home }: { home: Home }) {
  const [url, setUrl] = useUrl<Url>()
  const { listing: to } = usePlaces(home)
  const search = useDebounced(url.q ?? '')
  const kind = kinds.find((k) => k.value !== 'ALL' && k.value === url.kind)?.value as ListingKind | undefined
  const orderBy = orders.find((o) => o.value === url.sort)?.value ?? 'INSTALLS'
  const filter: ListingFilter = { search: search || undefined, kinds: kind ? [kind] : undefined, category: url.category }
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(MarketplaceDocument, { filter, orderBy }, (d) => d.marketplace)
  const filtered = Boolean(url.q || kind || url.category)
  const featured = filtered ? [] : rows.filter((l) => l.featured)
  const others = filtered ? rows : rows.filter((l) => !l.featured)
  const categories = data?.marketplace.categories ?? []
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Segments label={t('Kind')} value={kind ?? 'ALL'} onChange={(k) => setUrl({ kind: k === 'ALL' ? undefined : k })} options={kinds} className="max-sm:w-full" />
        <span className="grow max-sm:hidden" />
        <Select aria-label={t('Category')} value={url.category ?? ''} onChange={(category) => setUrl({ category: category || undefined })} options={[{ value: '', label: t('Every category') }, ...categories.map((c) => ({ value: c, label: c }))]} className="h-8 w-40 max-sm:grow" />
        <Select aria-label={t('Order')} value={orderBy} onChange={(sort) => setUrl({ sort: sort === 'INSTALLS' ? undefined : sort })} options={orders} className="h-8 w-36 max-sm:grow" />
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search the marketplace')} className="sm:w-60" />
      </div>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonCards />}
      {data && rows.length === 0 && (
        <Card>
          <Empty icon={<Store aria-hidden />} title={filtered ? t('Nothing matches') : t('Nothing is offered yet')}>
            {filtered ? t('Try another word, or leave a filter out.') : t('What the platform offers, and what colleagues share, shows here.')}
          </Empty>
        </Card>
      )}
      {featured.length > 0 && (
        <section aria-labelledby="featured" className="mb-6">
          <h2 id="featured" className="mb-3 text-sm font-semibold">
            {t('Featured')}
          </h2>
          <ul className={cx('grid gap-3 sm:grid-cols-2', featured.length > 2 && 'xl:grid-cols-3')}>
            {featured.map((l) => (
              <li key={l.id}>
                <ListingCard listing={l} to={to(l.id)} large />
              </li>
            ))}
          </ul>
        </section>
      )}
      {others.length > 0 && (
        <section aria-labelledby="others">
          <h2 id="others" className="mb-3 text-sm font-semibold">
            {filtered ? t('{{count}} found', { count: total ?? rows.length }) : t('All listings')}
          </h2>
          <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4">
            {others.map((l) => (
              <li key={l.id}>
                <ListingCard listing={l} to={to(l.id)} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {more && (
        <Card className="mt-4">
          <TableFoot more={more} busy={fetching} />
        </Card>
      )}
    </>
  )
}

function SkeletonCards() {
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4">
      {Array.from({ length: 8 }, (_, i) => (
        <SkeletonBlock key={i} className="h-40" />
      ))}
    </div>
  )
}
