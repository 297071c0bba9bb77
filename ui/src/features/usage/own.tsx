import { Download } from 'lucide-react'
import { buttonClass } from '@/kit/button'
import { Tabs } from '@/kit/tabs'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { Explore } from './explore'
import { Chips, Days } from './filters'
import { exportHref, groupOf, ownGroups, type Search, useZone } from './params'
import { Receipts } from './receipts'

type View = 'explore' | 'receipts'

/** What one seat used: over time, by any part of it, and call by call. */
export function OwnUsage({ plane, seat, url, setUrl }: { plane: Plane; seat: string; url: Partial<Search>; setUrl: (patch: Partial<Search>) => void }) {
  const timeZone = useZone()
  const view: View = url.view === 'receipts' ? 'receipts' : 'explore'
  const all = { ...url, scope: url.scope ?? seat, group: groupOf(url, ownGroups) }
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
        <Days url={url} setUrl={setUrl} timeZone={timeZone} />
        <a href={exportHref(view === 'receipts' ? 'receipts' : 'usage', plane, all, timeZone)} className={buttonClass({ size: 'sm' })}>
          <Download aria-hidden /> {t('Export CSV')}
        </a>
      </div>
      <div className="mb-4 empty:hidden">
        <Chips url={url} setUrl={setUrl} plane={plane} own />
      </div>
      <Tabs<View>
        label={t('Usage')}
        value={view}
        onChange={(v) => setUrl({ view: v === 'explore' ? undefined : v, peek: undefined, q: undefined })}
        tabs={[
          { value: 'explore', label: t('Explore'), content: <Explore plane={plane} url={url} setUrl={setUrl} seat={seat} /> },
          { value: 'receipts', label: t('Receipts'), content: <Receipts plane={plane} url={url} setUrl={setUrl} seat={seat} /> },
        ]}
      />
    </>
  )
}
