import { Link } from '@tanstack/react-router'
import { BadgeCheck, Bot, Download, Plug, Server, Sparkles, Star } from 'lucide-react'
import type { ListingCardFragment, ListingKind } from '@/graphql/generated/graphql'
import { Badge } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { compactCount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { AgentIcon } from '@/features/agents'
import { kindName, standing } from './words'

const byKind = { MODEL: Server, AGENT: Bot, CONNECTION: Plug, TEMPLATE: Sparkles }

export function ListingIcon({ listing, className }: { listing: { icon: string; kind: ListingKind }; className?: string }) {
  if (listing.icon) return <AgentIcon icon={listing.icon} className={className} />
  const Icon = byKind[listing.kind]
  return (
    <span aria-hidden className={cx('inline-flex size-8 shrink-0 items-center justify-center rounded-md bg-accent-soft text-accent-text [&_svg]:size-1/2', className)}>
      <Icon />
    </span>
  )
}

/** Who offers it, and whether the platform has looked at it. */
export function Publisher({ listing: l }: { listing: ListingCardFragment }) {
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-1 text-xs text-muted">
      <span className="truncate">{l.ofPlatform ? l.publisher || 'Alchemi' : t('{{place}} in {{account}}', { place: l.scopeName, account: l.publisher })}</span>
      {l.verified && (
        <span className="inline-flex shrink-0 items-center gap-0.5 text-accent-text">
          <BadgeCheck aria-hidden className="size-3.5" />
          <span className="sr-only">{t('verified')}</span>
        </span>
      )}
    </span>
  )
}

/** Stars and installations, in numbers. */
export function Numbers({ listing: l }: { listing: ListingCardFragment }) {
  return (
    <span className="num flex items-center gap-3 text-xs text-muted [&_svg]:size-3.5">
      {l.rating !== null && l.rating !== undefined && (
        <span className="inline-flex items-center gap-1">
          <Star aria-hidden className="fill-current text-warn-fill" />
          {l.rating.toFixed(1)}
          <span className="sr-only">{t('of five stars')}</span>
          <span>({compactCount(l.ratingCount)})</span>
        </span>
      )}
      {l.kind !== 'MODEL' && (
        <span className="inline-flex items-center gap-1">
          <Download aria-hidden />
          {compactCount(l.installCount)}
          <span className="sr-only">{t('times installed')}</span>
        </span>
      )}
    </span>
  )
}

/** One listing of the gallery; all of it is the way to its page. */
export function ListingCard({ listing: l, to, large }: { listing: ListingCardFragment; to: string; large?: boolean }) {
  const has = standing(l.installations)
  return (
    <article className={cx('group relative flex h-full min-w-0 flex-col rounded-lg border border-line bg-surface p-4 shadow-xs transition-[border-color,box-shadow] hover:border-line-strong hover:shadow-md', large && 'bg-linear-to-br from-accent-soft/70 to-surface to-60%')}>
      <div className="flex items-start gap-3">
        <ListingIcon listing={l} className="size-10 text-xl [&_svg]:size-5" />
        <div className="min-w-0 grow">
          <h3 className="leading-snug font-semibold break-words">
            <Link data-row-link to={to} className="rounded-sm after:absolute after:inset-0 after:rounded-lg group-hover:underline focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-offset-2 focus-visible:after:outline-accent">
              {l.name}
            </Link>
          </h3>
          <Publisher listing={l} />
        </div>
        {has && <Badge tone={has.tone}>{has.label}</Badge>}
      </div>
      <p className={cx('mt-3 text-sm text-muted', large ? 'line-clamp-3' : 'line-clamp-2 min-h-10')}>{l.summary}</p>
      <div className="mt-auto flex flex-wrap items-center justify-between gap-x-3 gap-y-1 pt-3.5">
        <Badge>{kindName[l.kind]}</Badge>
        <Numbers listing={l} />
      </div>
    </article>
  )
}
