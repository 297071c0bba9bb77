import { Download } from 'lucide-react'
import { readsWholePlane, useViewer } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { Menu, MenuItem } from '@/kit/menu'
import { PageHead } from '@/kit/page'
import { Tabs } from '@/kit/tabs'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhatIfPanel } from '@/features/whatif'
import { Explore } from './explore'
import { Chips, Days } from './filters'
import { Flow } from './flow'
import { type ExportKind, exportHref, type Search, useZone } from './params'
import { Receipts } from './receipts'

type View = 'explore' | 'receipts'

/** What a plane used: by any part of it, over time, and call by call. */
export function UsagePage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<Search>()
  const timeZone = useZone()
  const whole = readsWholePlane(useViewer(), plane)
  const view: View = url.view === 'receipts' ? 'receipts' : 'explore'
  return (
    <>
      <PageHead title={t('Usage')} note={t('Everything that was charged in {{plane}}, from the ledger. Days are those of {{zone}}.', { plane: nameOf(plane), zone: timeZone })}>
        <Days url={url} setUrl={setUrl} timeZone={timeZone} />
        <Exports plane={plane} url={url} view={view} />
      </PageHead>
      <div className="mb-4">
        <Chips url={url} setUrl={setUrl} plane={plane} />
      </div>
      <Tabs<View>
        label={t('Usage')}
        value={view}
        onChange={(v) => setUrl({ view: v === 'explore' ? undefined : v, peek: undefined, q: undefined })}
        tabs={[
          { value: 'explore', label: t('Explore'), content: <Explore plane={plane} url={url} setUrl={setUrl} /> },
          { value: 'receipts', label: t('Receipts'), content: <Receipts plane={plane} url={url} setUrl={setUrl} /> },
        ]}
      />
      {view === 'explore' && (
        <div className="mt-4 flex flex-col gap-4">
          {whole && <Flow plane={plane} url={url} setUrl={setUrl} />}
          <WhatIfPanel key={plane} plane={plane} />
        </div>
      )}
    </>
  )
}

function Exports({ plane, url, view }: { plane: Plane; url: Partial<Search>; view: View }) {
  const timeZone = useZone()
  const get = (kind: ExportKind) => location.assign(exportHref(kind, plane, url, timeZone))
  const shown: ExportKind = view === 'receipts' ? 'receipts' : 'usage'
  return (
    <span className="flex gap-1">
      <a href={exportHref(shown, plane, url, timeZone)} className={buttonClass({ size: 'sm' })}>
        <Download aria-hidden /> {t('Export CSV')}
      </a>
      <Menu
        trigger={
          <Button size="sm" variant="ghost">
            {t('More exports')}
          </Button>
        }
      >
        {shown !== 'receipts' && <MenuItem onClick={() => get('receipts')}>{t('Receipts of these days (CSV)')}</MenuItem>}
        {shown !== 'usage' && <MenuItem onClick={() => get('usage')}>{t('Usage of these days (CSV)')}</MenuItem>}
        <MenuItem onClick={() => get('statements')}>{t('Statements of these days (CSV)')}</MenuItem>
        <MenuItem onClick={() => get('focus')}>{t('Bill in FOCUS 1.2 (CSV)')}</MenuItem>
      </Menu>
    </span>
  )
}
