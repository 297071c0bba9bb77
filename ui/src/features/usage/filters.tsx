import { X } from 'lucide-react'
import { UsageNamesDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Input } from '@/kit/field'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { ScopePicker, useItem } from '@/features/access'
import { dateIn } from '@/lib/zone'
import { daysOf, lastDay, type Search, spans } from './params'

type Props = { url: Partial<Search>; setUrl: (patch: Partial<Search>) => void }

/** The time that is looked at; a range of one's own has two dates. */
export function Days({ url, setUrl, timeZone }: Props & { timeZone: string }) {
  const { span, ...days } = daysOf(url, timeZone)
  const [from, to] = [dateIn(days.from, timeZone), lastDay(days.to, timeZone)]
  const choose = (next: (typeof spans)[number]['value']) =>
    setUrl(next === 'custom' ? { range: 'custom', from, to } : { range: next, from: undefined, to: undefined })
  return (
    <div className="flex flex-wrap items-center gap-2">
      {span === 'custom' && (
        <span className="flex items-center gap-1.5">
          <Input type="date" aria-label={t('First day')} className="num h-8 w-36 px-2" value={from} max={to} onChange={(e) => e.target.value && setUrl({ from: e.target.value })} />
          <span className="text-muted">–</span>
          <Input type="date" aria-label={t('Last day')} className="num h-8 w-36 px-2" value={to} min={from} onChange={(e) => e.target.value && setUrl({ to: e.target.value })} />
        </span>
      )}
      <Segments label={t('Range')} value={span} onChange={choose} options={spans} />
    </div>
  )
}

/** Everything there is. */
export const nowhere = { scope: undefined, model: undefined, user: undefined, tag: undefined, key: undefined, agent: undefined, client: undefined }

const nameOf = (node: object | null | undefined, id: string) => (node && 'name' in node ? String(node.name) : id)

/** What the usage is narrowed down to, each part with its own way out. */
export function Chips({ url, setUrl, plane, own = false }: Props & { plane: Plane; /** One's own seat is all there is. */ own?: boolean }) {
  const scope = useItem(url.scope)
  const { model = '', user = '', key = '', agent = '', client = '' } = url
  const some = { model, withModel: !!model, user, withUser: !!user, key, withKey: !!key, agent, withAgent: !!agent, client, withClient: !!client }
  const named = useRead(UsageNamesDocument, some, !(model || user || key || agent || client)).data
  const chips: [label: string, clear: Partial<Search>][] = []
  if (url.scope) chips.push([t('In {{place}}', { place: scope?.label ?? url.scope }), { scope: undefined }])
  if (url.model) chips.push([t('Model {{name}}', { name: nameOf(named?.model, url.model) }), { model: undefined }])
  if (url.user) chips.push([t('Person {{name}}', { name: nameOf(named?.user, url.user) }), { user: undefined }])
  if (url.tag) chips.push([t('Tag {{name}}', { name: url.tag }), { tag: undefined }])
  if (url.key) chips.push([t('Key {{name}}', { name: nameOf(named?.key, url.key) }), { key: undefined }])
  if (url.agent) chips.push([t('Agent {{name}}', { name: nameOf(named?.agent, url.agent) }), { agent: undefined }])
  if (url.client) chips.push([t('Program {{name}}', { name: nameOf(named?.client, url.client) }), { client: undefined }])
  if (own && chips.length === 0) return null
  return (
    <div className="flex flex-wrap items-center gap-2">
      {!own && (
      <div className="w-full sm:w-56">
        <ScopePicker aria-label={t('Where')} plane={plane} value={null} onChange={(place) => setUrl({ scope: place.value })} placeholder={t('Anywhere')} className="h-8" key={url.scope} />
      </div>
      )}
      {chips.length > 0 && (
        <ul aria-label={t('Narrowed down to')} className="flex min-w-0 flex-wrap gap-1.5">
          {chips.map(([label, clear]) => (
            <li key={label} className="min-w-0">
              <button type="button" onClick={() => setUrl(clear)} className="inline-flex h-6 max-w-full items-center gap-1 rounded-sm bg-accent-soft ps-2 pe-1 text-xs font-medium text-accent-text hover:bg-hover">
                <span className="truncate">{label}</span>
                <X aria-hidden className="size-3.5 shrink-0" />
                <span className="sr-only">{t('Remove this filter')}</span>
              </button>
            </li>
          ))}
          {chips.length > 1 && (
            <li>
              <button type="button" onClick={() => setUrl(nowhere)} className="h-6 rounded-sm px-1.5 text-xs text-muted hover:text-fg">
                {t('Clear all')}
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  )
}
