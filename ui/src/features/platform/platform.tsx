import { Link } from '@tanstack/react-router'
import { Building2, PlugZap } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { PlatformOverviewDocument, type PlatformRowPartsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { buttonClass } from '@/kit/button'
import { Card, CardHead, Stat } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { ago, compactMoney, count, exact, money, percent, tickMoney, utcDay } from '@/lib/format'
import { t } from '@/lib/i18n'
import { span } from '@/lib/range'
import { Health } from '@/features/models'
import { Change } from '@/kit/change'

const BarChart = lazy(() => import('@/kit/bar-chart'))

/** Cost and credits of all accounts in Copilot, and the upstreams' health. */
export function PlatformPage() {
  const filter = useMemo(() => ({ ...span('30d'), plane: 'COPILOT' as const }), [])
  const { data, loading, fault, retry } = useRead(PlatformOverviewDocument, { filter })
  const p = data?.platform
  const upstreams = p?.centralProviders.edges.map((e) => e.node) ?? []
  return (
    <>
      <PageHead title={t('Overview')} note={t('Copilot over all accounts, last 30 days.')} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-[34rem]" />}
      {p && (
        <>
          <div className="mb-4 grid grid-cols-2 gap-4 xl:grid-cols-4">
            <Stat label={t('Copilot cost')} value={compactMoney(p.usage.total.copilotCost, 'USD')} note={<Change now={p.usage.total.copilotCost} before={p.usage.previous.copilotCost} />} />
            <Stat label={t('Credits charged')} value={compactMoney(p.usage.total.credits, 'CREDITS')} note={t('worth {{value}}', { value: compactMoney(p.usage.total.value, 'USD') })} />
            <Stat label={t('Margin')} value={compactMoney(p.usage.total.margin, 'USD')} note={p.usage.total.marginPercent === null || p.usage.total.marginPercent === undefined ? '' : t('{{percent}} of the value', { percent: percent(p.usage.total.marginPercent) })} />
            <Stat label={t('Accounts')} value={count(p.accounts.totalCount)} note={t('{{factor}} credits per $ by default', { factor: exact(p.defaultCreditFactor, 'CREDITS') })} />
          </div>
          <div className="grid gap-4 lg:grid-cols-3">
            <Card className="lg:col-span-2">
              <CardHead title={t('Cost by day')} note={t('US dollars, paid to upstream providers')} />
              <div className="px-3 pb-3">
                <Suspense fallback={<div className="h-52" />}>
                  <BarChart bars={p.usage.periods.map((d) => ({ x: d.start, y: Number(d.totals.copilotCost) }))} xLabel={utcDay} yLabel={(v) => tickMoney(v, 'USD')} label={t('Cost by day: {{amount}} in 30 days.', { amount: money(p.usage.total.copilotCost, 'USD') })} />
                </Suspense>
              </div>
            </Card>
            <Card>
              <CardHead title={t('Upstream providers')} />
              {upstreams.length === 0 ? (
                <Empty
                  icon={<PlugZap aria-hidden />}
                  title={t('None yet')}
                  action={
                    <Link to="/sa/providers" className={buttonClass({ variant: 'primary' })}>
                      {t('Connect an upstream')}
                    </Link>
                  }
                />
              ) : (
                <ul className="border-t border-line">
                  {upstreams.map((u) => (
                    <li key={u.id} className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
                      <span className="min-w-0 truncate font-medium">{u.name}</span>
                      <span className="text-xs">{u.testedAt ? <Health ok={!u.testError} text={u.testError ? t('Fails') : t('Worked {{when}}', { when: ago(u.testedAt) })} title={u.testError ?? undefined} /> : <span className="text-muted">{t('Never tested')}</span>}</span>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
          </div>
          <div className="mt-4 grid gap-4 lg:grid-cols-2">
            <Accounts title={t('Top accounts')} note={t('By cost')} rows={p.usage.rows.slice(0, 6)} />
            <Accounts title={t('Movers')} note={t('Against the 30 days before')} rows={movers(p.usage.rows)} />
          </div>
        </>
      )}
    </>
  )
}

const moved = (r: PlatformRowPartsFragment) => Math.abs(Number(r.totals.cost) - Number(r.previous?.cost ?? 0))

/** Who changed most against the time before, up or down. */
function movers(rows: readonly PlatformRowPartsFragment[]): PlatformRowPartsFragment[] {
  return rows.filter((r) => moved(r) > 0).toSorted((a, b) => moved(b) - moved(a)).slice(0, 6)
}

function Accounts({ title, note, rows }: { title: string; note: string; rows: readonly PlatformRowPartsFragment[] }) {
  return (
    <Card>
      <CardHead title={title} note={note}>
        <Link to="/sa/usage" className="rounded-sm text-xs font-medium text-accent-text hover:underline">
          {t('Explore usage')}
        </Link>
      </CardHead>
      <div className="border-t border-line">
        {rows.length === 0 ? (
          <Empty icon={<Building2 aria-hidden />} title={t('No traffic yet')} />
        ) : (
          <Table label={title}>
            <Head>
              <Th>{t('Account')}</Th>
              <Th className="text-end">{t('Cost')}</Th>
              <Th className="text-end">{t('Change')}</Th>
              <Th wide className="text-end">
                {t('Credits, of the cycle')}
              </Th>
              <Th wide className="text-end">
                {t('Margin')}
              </Th>
            </Head>
            <tbody>
              {rows.map((r) => (
                <tr key={r.id} className={rowClass}>
                  <Td className="max-w-40 truncate font-medium">
                    <Link to="/sa/accounts/$id" params={{ id: r.id }} className="rounded-sm hover:underline">
                      {r.name}
                    </Link>
                  </Td>
                  <Td className="num text-end">{money(r.totals.cost, 'USD')}</Td>
                  <Td className="text-end">
                    <Change now={r.totals.cost} before={r.previous?.cost} />
                  </Td>
                  <Td wide className="num text-end">
                    {r.granted ? `${compactMoney(r.used ?? '0', 'CREDITS')} / ${compactMoney(r.granted, 'CREDITS')}` : '–'}
                  </Td>
                  <Td wide className="num text-end">
                    {compactMoney(r.totals.margin, 'USD')}
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </div>
    </Card>
  )
}
