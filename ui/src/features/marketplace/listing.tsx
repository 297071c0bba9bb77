import { Link } from '@tanstack/react-router'
import { ArrowLeft, Check, Download, ExternalLink, Store } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { ListingDocument, type ListingPartsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Facts } from '@/kit/facts'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { compactCount, day, exact, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ListingIcon, Numbers, Publisher } from './card'
import { Install } from './install'
import { Installed } from './installed'
import { Lifecycle, manages, Review } from './lifecycle'
import { type Home, usePlaces } from './places'
import { Ratings } from './rate'
import { kindName, shown, statusName, statusTone } from './words'

/** One listing: what it is, what it brings, who has it, what they say, and the way to it. */
export function ListingPage({ id, home }: { id: string; home: Home }) {
  const { data, loading, fault, retry } = useRead(ListingDocument, { id })
  const listing = data?.node && 'summary' in data.node ? data.node : undefined
  if (fault && !listing) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonBlock className="h-96" />
  if (!listing) {
    return (
      <Card>
        <Empty page icon={<Store aria-hidden />} title={t('There is no such listing')}>
          {t('It was withdrawn, or it is not offered to your account.')}
        </Empty>
      </Card>
    )
  }
  return <Listing key={listing.id} listing={listing} home={home} />
}

function Listing({ listing: l, home }: { listing: ListingPartsFragment; home: Home }) {
  const { base, agent, open } = usePlaces(home)
  const [installing, setInstalling] = useState(false)
  const model = l.kind === 'MODEL'
  const installs = home !== 'platform' && l.status === 'PUBLISHED' && may(l, 'listing.install') && !(model && l.installations.length > 0)
  const made = (resourceId: string) => {
    setInstalling(false)
    const to = l.kind === 'AGENT' || l.kind === 'TEMPLATE' ? agent(resourceId) : undefined
    if (to) location.assign(to)
    else void open(l.id)
  }
  return (
    <>
      <div className="mb-5 flex flex-wrap items-start gap-x-4 gap-y-3">
        <Link to={base} aria-label={t('Back to the marketplace')} className="mt-2.5 rounded-md p-1.5 text-muted hover:bg-hover">
          <ArrowLeft aria-hidden className="size-4" />
        </Link>
        <ListingIcon listing={l} className="size-14 rounded-xl text-3xl [&_svg]:size-7" />
        <div className="min-w-0 grow basis-64">
          <div className="flex flex-wrap items-center gap-2">
            <h1 className="text-2xl font-semibold tracking-tight break-words">{l.name}</h1>
            <Badge>{kindName[l.kind]}</Badge>
            {l.featured && <Badge tone="accent">{t('Featured')}</Badge>}
            {l.status !== 'PUBLISHED' && <Badge tone={statusTone[l.status]}>{statusName[l.status]}</Badge>}
          </div>
          <div className="mt-0.5 flex flex-wrap items-center gap-x-4 gap-y-1">
            <Publisher listing={l} />
            <Numbers listing={l} />
          </div>
          {l.summary && <p className="mt-2 max-w-3xl text-muted">{l.summary}</p>}
        </div>
        {installs && (
          <Button variant="primary" onClick={() => setInstalling(true)} className="max-sm:w-full">
            <Download aria-hidden /> {t('Install')}
          </Button>
        )}
      </div>
      {l.review && (
        <div className="mb-4">
          <Review listing={l} />
        </div>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem] lg:grid-rows-[auto_1fr]">
        <div className="flex min-w-0 flex-col gap-4 lg:row-span-2">
          <About listing={l} />
          <Versions listing={l} />
          {home !== 'platform' && <Ratings listing={l} />}
        </div>
        <div className="flex min-w-0 flex-col gap-4 empty:hidden max-lg:order-first">
          {manages(l) && <Lifecycle listing={l} home={home} />}
          {home !== 'platform' && <Installed listing={l} home={home} />}
        </div>
        <div className="min-w-0">
          <Card>
            <CardHead title={t('Details')} />
            <div className="px-4 pb-4 text-sm">
              <Facts
                className="grid-cols-[7rem_1fr]"
                facts={[
                  l.publishedVersion > 0 && [t('Version'), String(l.publishedVersion)],
                  [t('Listed'), <span key="listed" title={utc(l.createdAt)}>{day(l.createdAt)}</span>],
                  l.categories.length > 0 && [t('Filed under'), l.categories.join(', ')],
                  l.tags.length > 0 && [t('Words'), l.tags.join(', ')],
                  Boolean(l.catalogModel) && [t('Context'), t('{{tokens}} tokens', { tokens: compactCount(l.catalogModel!.contextLength) })],
                  Boolean(l.catalogModel?.creditPrice) && [t('Credits per 1M in / out'), `${exact(l.catalogModel!.creditPrice!.input, 'CREDITS')} / ${exact(l.catalogModel!.creditPrice!.output, 'CREDITS')}`],
                ]}
              />
            </div>
          </Card>
        </div>
      </div>
      {installing && <Install listing={l} onClose={() => setInstalling(false)} onMade={made} />}
    </>
  )
}

function About({ listing: l }: { listing: ListingPartsFragment }) {
  const pictures = l.screenshots.filter(shown)
  const elsewhere = l.screenshots.filter((s) => !shown(s))
  const words = l.description || l.capabilities.length + l.requirements.length > 0
  if (!words && l.screenshots.length === 0) return null
  return (
    <Card className="px-5 py-4">
      <h2 className="sr-only">{t('About')}</h2>
      {pictures.length > 0 && (
        <ul className="-mx-5 mt-1 mb-4 flex snap-x scroll-px-5 gap-3 overflow-x-auto px-5 pb-2" tabIndex={0} aria-label={t('Pictures')}>
          {pictures.map((picture, i) => (
            <li key={picture} className="shrink-0 snap-start">
              <img src={picture} alt={t('Picture {{n}} of {{name}}', { n: i + 1, name: l.name })} className="h-56 rounded-md border border-line object-cover max-sm:h-40" />
            </li>
          ))}
        </ul>
      )}
      {l.description && <div className="max-w-prose break-words whitespace-pre-line">{l.description}</div>}
      {(l.capabilities.length > 0 || l.requirements.length > 0) && (
        <div className={cx('grid gap-5 sm:grid-cols-2', (l.description || pictures.length > 0) && 'mt-5')}>
          <Points title={t('What it does')} points={l.capabilities} icon={<Check aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />} />
          <Points title={t('What it needs')} points={l.requirements} icon={<span aria-hidden className="mt-2 size-1.5 shrink-0 rounded-full bg-line-strong" />} />
        </div>
      )}
      {elsewhere.length > 0 && (
        <p className="mt-4 flex flex-wrap gap-x-4 gap-y-1 text-sm">
          {elsewhere.map((address, i) => (
            <a key={address} href={address} target="_blank" rel="noreferrer" className="inline-flex items-center gap-1 text-accent-text hover:underline">
              {t('Picture {{n}}, elsewhere', { n: i + 1 })} <ExternalLink aria-hidden className="size-3.5" />
            </a>
          ))}
        </p>
      )}
    </Card>
  )
}

function Points({ title, points, icon }: { title: string; points: readonly string[]; icon: ReactNode }) {
  if (points.length === 0) return null
  return (
    <section>
      <h3 className="mb-2 text-sm font-semibold">{title}</h3>
      <ul className="flex flex-col gap-1.5">
        {points.map((p) => (
          <li key={p} className="flex gap-2.5 text-sm">
            {icon}
            <span className="min-w-0 break-words">{p}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Versions({ listing: l }: { listing: ListingPartsFragment }) {
  if (l.versions.length === 0) return null
  return (
    <Card>
      <CardHead title={t('Versions')} />
      <ol className="border-t border-line">
        {l.versions.map((v) => (
          <li key={v.id} className="border-b border-line px-4 py-3 text-sm last:border-b-0">
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{t('Version {{n}}', { n: v.number })}</span>
              {v.number === l.publishedVersion ? <Badge tone="ok">{t('Published')}</Badge> : v.status !== 'PUBLISHED' && <Badge tone={statusTone[v.status]}>{v.status === 'REJECTED' ? t('Passed over') : statusName[v.status]}</Badge>}
              <span className="text-xs text-muted" title={utc(v.createdAt)}>
                {day(v.createdAt)}
              </span>
            </p>
            <p className="mt-0.5 break-words whitespace-pre-line text-muted">{v.changelog || (v.number === 1 ? t('The first version.') : t('Nothing was said about it.'))}</p>
          </li>
        ))}
      </ol>
    </Card>
  )
}
