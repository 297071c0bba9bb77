import { PlatformRequestsDocument, type PlatformRequestsQuery } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { PageHead } from '@/kit/page'
import { Segments } from '@/kit/toggle'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { Used } from '@/features/budgets'
import { useUnread } from '@/features/inbox'
import { filters, RequestList } from './list'
import { RequestCard } from './request'

type Request = NonNullable<PlatformRequestsQuery['platform']>['requests']['edges'][number]['node']

/** What accounts ask of the platform: more credits than they have. */
export function PlatformRequestsPage() {
  const [url, setUrl] = useUrl<{ show: string }>()
  const decides = useViewer().roles.some((r) => r.role === 'ADMIN')
  // An auditor decides on nothing: for them there is what is open, and what isn't.
  const choices = decides ? filters : filters.slice(1)
  const filter = choices.find((f) => f.value === url.show)?.value ?? choices[0]!.value
  const { data, rows, loading, fetching, fault, retry, more } = usePages(PlatformRequestsDocument, { filter }, (d) => d.platform?.requests)
  useUnread(retry)
  return (
    <>
      <PageHead title={t('Requests')} note={t('Accounts that ask for more credits than they have. Nobody decides on what they asked for as a person of the account.')} />
      <div className="mb-4">
        <Segments label={t('Show')} value={filter} onChange={(show) => setUrl({ show: show === choices[0]!.value ? undefined : show })} options={choices} />
      </div>
      <RequestList filter={filter} rows={rows} loaded={Boolean(data)} loading={loading} fetching={fetching} fault={fault} retry={retry} more={more} clear={t('No account waits for credits. Super admins are told the moment one asks.')}>
        {(r) => (
          <RequestCard key={r.id} request={r} onDecided={retry}>
            <Pool request={r} />
          </RequestCard>
        )}
      </RequestList>
    </>
  )
}

/** How far the account has used up what it has. */
function Pool({ request: r }: { request: Request }) {
  const pool = r.account?.pool
  if (!pool || r.status !== 'PENDING') return null
  return (
    <div>
      <Used state={pool.state} name={r.account!.name} />
      <p className="num mt-1.5 text-xs text-muted">{t('{{remaining}} are left of this cycle.', { remaining: money(pool.state.remaining, 'CREDITS') })}</p>
    </div>
  )
}
