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
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, unitOf } from '@/lib/plane'
import { Outlook, useBurn, Used } from '@/features/budgets'
import { KeyList } from '@/features/keys'

/** What I have left, and my keys, by plane. */
export function MePage() {
  const viewer = useViewer()
  const { data, loading, fault, retry } = useRead(MySeatsDocument, {})
  const seats = data ? ([['CONSOLE', data.viewer.console] as const, ['COPILOT', data.viewer.copilot] as const].filter(([, s]) => s) as [Plane, SeatPartsFragment][]) : []
  return (
    <>
      <PageHead title={t('My budgets & keys')} note={t('{{name}} in {{account}}', { name: viewer.user?.name ?? '', account: viewer.account.name })} badge={<LiveBadge />} />
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
      <div className="flex flex-col gap-8">
        {seats.map(([plane, seat]) => (
          <Seat key={plane} plane={plane} seat={seat} />
        ))}
      </div>
    </>
  )
}

function Seat({ plane, seat }: { plane: Plane; seat: SeatPartsFragment }) {
  useBurn(seat.id, false, false)
  const [peek, setPeek] = useState<string>()
  const [creating, setCreating] = useState(false)
  const state = seat.budget?.state
  return (
    <section>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold">
          {nameOf(plane)} <span className="text-sm font-normal text-muted">{seat.location}</span>
        </h2>
        {may(seat, 'key.create') && (
          <Button size="sm" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {t('New key in {{plane}}', { plane: nameOf(plane) })}
          </Button>
        )}
      </div>
      <Card className="mb-4 px-4 py-3.5">
        {state ? (
          <div className="grid items-center gap-x-8 gap-y-3 sm:grid-cols-[auto_1fr_auto]">
            <div>
              <p className="text-xs text-muted">{unitOf(plane) === 'USD' ? t('Left') : t('Credits left')}</p>
              <p className="num text-2xl font-semibold tracking-tight">{money(state.remaining, state.unit)}</p>
            </div>
            <Used state={state} name={seat.name} />
            <Outlook state={state} />
          </div>
        ) : (
          <p className="text-muted">{t('You have no limit of your own: what your team has left counts.')}</p>
        )}
      </Card>
      <KeyList plane={plane} ownerId={seat.id} peek={peek} onPeek={setPeek} creating={creating} onCreate={setCreating} />
    </section>
  )
}
