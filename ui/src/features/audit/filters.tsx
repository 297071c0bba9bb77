import { ListFilter, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { AuditOutcome } from '@/graphql/generated/graphql'
import { Button } from '@/kit/button'
import { cx } from '@/kit/cx'
import { Filter } from '@/kit/filter'
import { Picker } from '@/kit/picker'
import { Segments } from '@/kit/toggle'
import { period } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { ScopePicker, useItem } from '@/features/access'
import { UserPicker } from '@/features/users'
import { actionChoices, actionLabel } from './words'

export type Search = { q: string; action: string; actor: string; outcome: string; scope: string; range: string; from: string; to: string; peek: string }

export const outcomes: readonly { value: AuditOutcome | 'ALL'; label: string }[] = [
  { value: 'ALL', label: t('All') },
  { value: 'DONE', label: t('Done') },
  { value: 'REFUSED', label: t('Refused') },
  { value: 'FAILED', label: t('Failed') },
]

type Props = {
  url: Partial<Search>
  setUrl: (patch: Partial<Search>) => void
  outcome: AuditOutcome | 'ALL'
  /** Whose places can be chosen; without one there are none. */
  plane?: Plane
  /** Whether people can be looked up. */
  people: boolean
  /** The actor's name, where an event that is shown tells it. */
  actorName?: string
}

/** What is looked for. What is narrowed down stands below in words, each part with its own way out. */
export function Filters({ url, setUrl, outcome, plane, people, actorName }: Props) {
  const [open, setOpen] = useState(false)
  const actor = useItem(url.actor)
  const scope = useItem(url.scope)
  const chips: [key: string, label: ReactNode, clear: Partial<Search>][] = []
  if (url.action) chips.push(['action', actionLabel(url.action), { action: undefined }])
  if (url.actor) chips.push(['actor', t('By {{name}}', { name: actor && actor.label !== url.actor ? actor.label : (actorName ?? url.actor) }), { actor: undefined }])
  if (url.scope) chips.push(['scope', t('In {{place}}', { place: scope?.label ?? url.scope }), { scope: undefined }])
  if (url.from && url.to) chips.push(['range', period(url.from, url.to), { from: undefined, to: undefined }])
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line p-3">
      <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search people and things')} className="sm:w-60" />
      <Button size="sm" className="sm:hidden" aria-expanded={open} onClick={() => setOpen(!open)}>
        <ListFilter aria-hidden /> {t('More filters')}
      </Button>
      <div className={cx('flex min-w-0 flex-wrap items-center gap-2 max-sm:w-full max-sm:flex-col max-sm:items-stretch', !open && 'max-sm:hidden')}>
        <div className="sm:w-48">
          <Picker aria-label={t('What was done')} items={actionChoices} notes value={null} onChange={(action) => setUrl({ action })} placeholder={url.action ? actionLabel(url.action) : t('Anything done')} className="h-8" key={url.action} />
        </div>
        {people && (
          <div className="sm:w-48">
            <UserPicker aria-label={t('Who did it')} value={null} onChange={(user) => setUrl({ actor: user.value })} placeholder={t('Anybody')} className="h-8" key={url.actor} />
          </div>
        )}
        {plane && (
          <div className="sm:w-48">
            <ScopePicker aria-label={t('Where')} plane={plane} value={null} onChange={(place) => setUrl({ scope: place.value })} placeholder={t('Anywhere')} className="h-8" key={url.scope} />
          </div>
        )}
      </div>
      <span className="grow max-sm:hidden" />
      <Segments label={t('Outcome')} value={outcome} onChange={(o) => setUrl({ outcome: o === 'ALL' ? undefined : o })} options={outcomes} />
      {chips.length > 0 && (
        <ul aria-label={t('Narrowed down to')} className="flex w-full flex-wrap gap-1.5">
          {chips.map(([key, label, clear]) => (
            <li key={key}>
              <button type="button" onClick={() => setUrl(clear)} className="inline-flex h-6 max-w-full items-center gap-1 rounded-sm bg-accent-soft ps-2 pe-1 text-xs font-medium text-accent-text hover:bg-hover">
                <span className="truncate">{label}</span>
                <X aria-hidden className="size-3.5 shrink-0" />
                <span className="sr-only">{t('Remove this filter')}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
