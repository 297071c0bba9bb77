import { Link } from '@tanstack/react-router'
import { CircleUserRound, HandCoins, Plus } from 'lucide-react'
import { useState } from 'react'
import { MySeatsDocument, type SeatPartsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { MyModels } from '@/features/access'
import { MyAgents } from '@/features/agents'
import { useBurn } from '@/features/budgets'
import { BurnPicture } from '@/features/burn'
import { KeyList } from '@/features/keys'
import { AskAccess, AskDialog, MyRequests } from '@/features/requests'
import { Limits } from './limits'
import { MeTabs } from './tabs'
import { MyUsage } from './usage'

type Seats = [Plane, readonly SeatPartsFragment[]]

/** What I have left, on what it went, what limits me, and how to ask for more. */
export function MePage() {
  const viewer = useViewer()
  const { data, loading, fault, retry } = useRead(MySeatsDocument, {})
  const [chosen, choose] = useState<Plane>()
  const [seatId, setSeatId] = useState<string>()
  const all = (data ? [['CONSOLE', data.viewer.console ?? []] as Seats, ['COPILOT', data.viewer.copilot ?? []] as Seats] : []).filter(([, s]) => s.length > 0)
  const [plane, seats] = all.find(([p]) => p === chosen) ?? all[0] ?? []
  const seat = seats?.find((s) => s.id === seatId) ?? seats?.[0]
  return (
    <>
      <MeTabs />
      <PageHead title={t('My budgets & keys')} note={t('{{name}} in {{account}}', { name: viewer.user?.name ?? '', account: viewer.account.name })} badge={seat && <LiveBadge />}>
        {all.length > 1 && <Segments label={t('Plane')} value={plane!} onChange={choose} options={all.map(([value]) => ({ value, label: nameOf(value) }))} />}
        {seats && seats.length > 1 && (
          <Select aria-label={t('Seat')} value={seat!.id} onChange={setSeatId} options={seats.map((s) => ({ value: s.id, label: s.isDefault ? t('{{place}} (default)', { place: s.location }) : s.location }))} className="w-60 max-sm:w-full" />
        )}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-96" />}
      {data && all.length === 0 && (
        <Card>
          <Empty icon={<CircleUserRound aria-hidden />} title={t('You have no seat yet')}>
            {t('A seat in a team lets you call models. Ask an admin of {{account}}.', { account: viewer.account.name })}
          </Empty>
        </Card>
      )}
      {plane && seat && <Seat key={seat.id} plane={plane} seat={seat} />}
    </>
  )
}

function Seat({ plane, seat }: { plane: Plane; seat: SeatPartsFragment }) {
  useBurn(seat.id)
  const [wanted, setWanted] = useState<{ id: string; name: string }>()
  return (
    <>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)]">
        <Left plane={plane} seat={seat} />
        <Limits seat={seat} />
      </div>
      <div className="mt-4">
        <MyUsage key={seat.id} plane={plane} seatId={seat.id} />
        <p className="mt-2 text-end text-sm">
          <Link to="/me/usage" search={{ seat: seat.id }} className="font-medium text-accent-text hover:underline">
            {t('All of my usage')}
          </Link>
        </p>
      </div>
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-2">
        <MyRequests plane={plane} />
        <MyModels plane={plane} seat={seat} onRequest={may(seat, 'request.create') ? setWanted : undefined} />
      </div>
      {plane === 'COPILOT' && <MyAgents seat={seat} />}
      {wanted && <AskAccess scope={seat} resource={wanted} onClose={() => setWanted(undefined)} />}
      <Keys plane={plane} seat={seat} />
    </>
  )
}

/** What is left, and where it leads to. */
function Left({ plane, seat }: { plane: Plane; seat: SeatPartsFragment }) {
  const [url, setUrl] = useUrl<{ ask: string }>()
  const unit = unitOf(plane)
  const { budget } = seat
  const nothing = seat.available !== null && seat.available !== undefined && Number(seat.available) <= 0
  const place = budget ? '' : seat.limits?.find((l) => l.binding)?.name
  return (
    <Card className="px-4 py-4">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <p className="text-xs text-muted">{unit === 'USD' ? t('Left to spend') : t('Credits left to spend')}</p>
          <p className={`num text-2xl font-semibold tracking-tight ${nothing ? 'text-bad' : ''}`}>{seat.available ? money(seat.available, unit) : t('No limit')}</p>
          <p className="text-xs text-muted">{seat.location}</p>
        </div>
        {may(seat, 'request.create') && (
          <Button variant="primary" onClick={() => setUrl({ ask: seat.id })} className="max-sm:w-full">
            <HandCoins aria-hidden /> {t('Request more')}
          </Button>
        )}
      </div>
      {budget ? (
        <div className="mt-4 flex flex-col gap-4">
          <BurnPicture state={budget.state} series={budget.series} previous={budget.previousSeries} thresholds={budget.thresholds} />
        </div>
      ) : (
        seat.available && <p className="mt-3 text-muted">{place ? t('You have no limit of your own: this is what {{place}} has left for everybody there.', { place }) : t('You have no limit of your own.')}</p>
      )}
      {url.ask === seat.id && <AskDialog scope={seat} unit={unit} onClose={() => setUrl({ ask: undefined })} />}
    </Card>
  )
}

function Keys({ plane, seat }: { plane: Plane; seat: SeatPartsFragment }) {
  const [peek, setPeek] = useState<string>()
  const [creating, setCreating] = useState(false)
  return (
    <section className="mt-6">
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <h2 className="text-lg font-semibold">{t('My keys')}</h2>
        <span className="grow" />
        {may(seat, 'key.create') && (
          <Button size="sm" variant="primary" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {t('New key in {{plane}}', { plane: nameOf(plane) })}
          </Button>
        )}
      </div>
      <KeyList key={plane} plane={plane} ownerId={seat.id} mayCreate={may(seat, 'key.create')} peek={peek} onPeek={setPeek} creating={creating} onCreate={setCreating} />
    </section>
  )
}
