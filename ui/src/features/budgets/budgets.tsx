import { CircleGauge } from 'lucide-react'
import { useMemo, useState } from 'react'
import { LiveBadge } from '@/graphql/live'
import { useViewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { cycle } from '@/lib/format'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { useActs } from './actions'
import { useBurn } from './burn'
import { Grid } from './grid'
import { BudgetPeek } from './peek'
import { isRow, useSearch, useTree } from './tree'

export function BudgetsPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const tree = useTree(plane)
  const [url, setUrl] = useUrl<{ peek: string; q: string }>()
  const [paused, setPaused] = useState(false)
  const [editing, setEditing] = useState<string>()
  const found = useSearch(plane, url.q ?? '')
  const shown = found ?? tree
  const { top } = tree
  // What is on screen is followed; another set takes its place when the rows have stood still.
  const [visible, setVisible] = useState<readonly string[]>([])
  const settled = useDebounced(visible)
  const scopeIds = useMemo(() => [...new Set(top ? [top.id, ...settled] : settled)], [top, settled])
  useBurn(top?.id, { paused, scopeIds })
  const state = top?.budget?.state
  const unit = unitOf(plane)

  // What was found has its neighbours in the tree, as far as that is read.
  const rows = [...new Map([...tree.lines, ...(found?.lines ?? [])].filter(isRow).map((r) => [r.id, r])).values()]
  const acts = useActs(rows, unit)

  const note = [state && t('{{cycle}}, {{percent}}% gone.', { cycle: cycle(state.startsAt, state.endsAt, viewer.account.timeZone), percent: Math.round(state.elapsedPercent) }), t('Limits nest: the first one reached stops the call.')].filter(Boolean).join(' ')

  return (
    <>
      <PageHead
        title={plane === 'COPILOT' ? t('Credit budgets') : t('Budgets')}
        note={note}
        badge={
          <button type="button" onClick={() => setPaused(!paused)} className="min-h-6 rounded-sm" title={paused ? t('Resume') : t('Pause')}>
            <LiveBadge paused={paused} />
          </button>
        }
      >
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter by name')} />
      </PageHead>
      {shown.fault && (
        <div className="mb-4">
          <ErrorBar fault={shown.fault} retry={shown.retry} />
        </div>
      )}
      <Card>
        {shown.loading ? (
          <SkeletonRows rows={8} height="h-12" />
        ) : shown.lines.length === 0 ? (
          <Empty icon={<CircleGauge aria-hidden />} title={found ? t('No name matches') : t('Nothing to limit yet')} />
        ) : (
          <Grid lines={shown.lines} unit={unit} editing={editing} onEdit={setEditing} onToggle={tree.toggle} onPeek={(peek) => setUrl({ peek })} onAct={acts.start} onVisible={setVisible} />
        )}
      </Card>
      {url.peek && <BudgetPeek key={url.peek} id={url.peek} plane={plane} rows={rows} onClose={() => setUrl({ peek: undefined })} />}
      {acts.dialog}
    </>
  )
}
