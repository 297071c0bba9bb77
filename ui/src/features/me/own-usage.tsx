import { ChartColumn } from 'lucide-react'
import { MyPlacesDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { OwnUsage, type UsageSearch } from '@/features/usage'
import { MeTabs } from './tabs'

/** What my own seats used, for everybody who has one. */
export function MyUsagePage() {
  const viewer = useViewer()
  const [url, setUrl] = useUrl<UsageSearch & { seat: string }>()
  const { data, loading, fault, retry } = useRead(MyPlacesDocument, {})
  const planes: [Plane, readonly { id: string; location: string; isDefault: boolean }[]][] = data ? [['CONSOLE', data.viewer.console ?? []], ['COPILOT', data.viewer.copilot ?? []]] : []
  const seats = planes.flatMap(([plane, list]) => list.map((s) => ({ ...s, plane })))
  const seat = seats.find((s) => s.id === url.seat) ?? seats[0]
  return (
    <>
      <MeTabs />
      <PageHead title={t('My usage')} note={t('What your own calls used and cost, from the ledger. Days are those of {{zone}}.', { zone: viewer.account.timeZone })}>
        {seats.length > 1 && (
          <Select
            aria-label={t('Seat')}
            value={seat!.id}
            // Another seat has other keys and models.
            onChange={(id) => setUrl({ seat: id, scope: undefined, model: undefined, client: undefined, agent: undefined, key: undefined, tag: undefined, peek: undefined })}
            options={seats.map((s) => ({ value: s.id, label: t('{{plane}}: {{place}}', { plane: nameOf(s.plane), place: s.location }) }))}
            className="w-72 max-sm:w-full"
          />
        )}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-96" />}
      {data && !seat && (
        <Card>
          <Empty icon={<ChartColumn aria-hidden />} title={t('You have no seat yet')}>
            {t('A seat in a team lets you call models. Ask an admin of {{account}}.', { account: viewer.account.name })}
          </Empty>
        </Card>
      )}
      {seat && <OwnUsage key={seat.id} plane={seat.plane} seat={seat.id} url={url} setUrl={setUrl} />}
    </>
  )
}
