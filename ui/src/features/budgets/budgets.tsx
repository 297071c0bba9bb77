import { CircleGauge } from 'lucide-react'
import { useState } from 'react'
import { LiveBadge } from '@/graphql/live'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { cycle } from '@/lib/format'
import { t } from '@/lib/i18n'
import { type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { useActs } from './actions'
import { useBurn } from './burn'
import { Grid } from './grid'
import { BudgetPeek } from './peek'
import { layOutFlat, useTree } from './tree'

export function BudgetsPage({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const tree = useTree(plane)
  const [url, setUrl] = useUrl<{ peek: string; q: string }>()
  const [paused, setPaused] = useState(false)
  const [editing, setEditing] = useState<string>()
  const top = tree.nodes[0]
  useBurn(top?.id, paused)
  const state = top?.budget?.state
  const unit = unitOf(plane)

  const needle = (url.q ?? '').toLowerCase()
  const rows = needle ? layOutFlat(tree.nodes.filter((n) => n.name.toLowerCase().includes(needle))) : tree.rows

  const acts = useActs(tree.rows, unit)

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
      {tree.fault && (
        <div className="mb-4">
          <ErrorBar fault={tree.fault} retry={tree.retry} />
        </div>
      )}
      <Card>
        {tree.loading ? (
          <SkeletonRows rows={8} height="h-12" />
        ) : rows.length === 0 ? (
          <Empty icon={<CircleGauge aria-hidden />} title={needle ? t('No name matches') : t('Nothing to limit yet')} />
        ) : (
          <Grid rows={rows} unit={unit} editing={editing} onEdit={setEditing} onToggle={tree.toggle} onPeek={(peek) => setUrl({ peek })} onAct={acts.start} />
        )}
        {tree.more && !needle && (
          <div className="border-t border-line p-2 text-center">
            <Button variant="ghost" size="sm" onClick={tree.more} busy={tree.fetching}>
              {t('Show more')}
            </Button>
          </div>
        )}
      </Card>
      {url.peek && <BudgetPeek key={url.peek} id={url.peek} plane={plane} rows={tree.rows} onClose={() => setUrl({ peek: undefined })} />}
      {acts.dialog}
    </>
  )
}
