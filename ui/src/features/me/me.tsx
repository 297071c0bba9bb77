import { CircleUserRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { MySeatsDocument, type SeatPartsFragment } from '@/graphql/generated/graphql'
import { LiveBadge } from '@/graphql/live'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, unitOf } from '@/lib/plane'
import { Outlook, useBurn, Used } from '@/features/budgets'
import { MyModels } from '@/features/access'
import { KeyList } from '@/features/keys'
import { MeTabs } from './tabs'

/** What I have left, and my keys, by plane. */
export function MePage() {
  const viewer = useViewer()
  const { data, loading, fault, retry } = useRead(MySeatsDocument, {})
  const seats = data ? ([['CONSOLE', data.viewer.console] as const, ['COPILOT', data.viewer.copilot] as const].filter(([, s]) => s) as [Plane, SeatPartsFragment][]) : []
  return (
    <>
      <MeTabs />
      <PageHead title={t('My budgets & keys')} note={t('{{name}} in {{account}}', { name: viewer.user?.name ?? '', account: viewer.account.name })} badge={seats.length > 0 && <LiveBadge />} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-96" />}
      {data && seats.length === 0 && (
        <Card>
          <Empty icon={<CircleUserRound aria-hidden />} title={t('You have no seat yet')}>
            {t('A seat in a team lets you call models. Ask an admin of {{account}}.', { account: viewer.account.name })}
          </Empty>
        </Card>
      )}
      <div className="grid gap-4 lg:grid-cols-2">
        {seats.map(([plane, seat]) => (
          <SeatCard key={plane} plane={plane} seat={seat} />
        ))}
      </div>
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-2">
        {seats.map(([plane, seat]) => (
          <MyModels key={plane} plane={plane} seat={seat} />
        ))}
      </div>
      {seats.length > 0 && <Keys seats={seats} />}
    </>
  )
}

function SeatCard({ plane, seat }: { plane: Plane; seat: SeatPartsFragment }) {
  useBurn(seat.id, false, false)
  const state = seat.budget?.state
  return (
    <Card className="px-4 py-3.5">
      <h2 className="text-sm font-semibold">
        {nameOf(plane)} <span className="font-normal text-muted">{seat.location}</span>
      </h2>
      {state ? (
        <div className="mt-2 grid items-end gap-x-8 gap-y-3 sm:grid-cols-[auto_1fr]">
          <div>
            <p className="text-xs text-muted">{unitOf(plane) === 'USD' ? t('Left') : t('Credits left')}</p>
            <p className="num text-2xl font-semibold tracking-tight">{money(state.remaining, state.unit)}</p>
            <p className="text-xs">
              <Outlook state={state} />
            </p>
          </div>
          <Used state={state} name={seat.name} />
        </div>
      ) : (
        <p className="mt-2 text-muted">{t('You have no limit of your own: what your team has left counts.')}</p>
      )}
    </Card>
  )
}

function Keys({ seats }: { seats: [Plane, SeatPartsFragment][] }) {
  const [plane, setPlane] = useState<Plane>(seats[0]![0])
  const [peek, setPeek] = useState<string>()
  const [creating, setCreating] = useState(false)
  const seat = seats.find(([p]) => p === plane)![1]
  return (
    <section className="mt-6">
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <h2 className="text-lg font-semibold">{t('My keys')}</h2>
        {seats.length > 1 && <Segments label={t('Plane')} value={plane} onChange={setPlane} options={seats.map(([value]) => ({ value, label: nameOf(value) }))} />}
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
