import { Link } from '@tanstack/react-router'
import { Building2, PlugZap } from 'lucide-react'
import { lazy, Suspense, useMemo } from 'react'
import { PlatformOverviewDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { buttonClass } from '@/kit/button'
import { Card, CardHead, Stat } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { ago, compactCount, compactMoney, count, exact, money, moneyWords, tickMoney, utcDay } from '@/lib/format'
import { t } from '@/lib/i18n'
import { span } from '@/lib/range'
import { Health } from '@/features/models'

const BarChart = lazy(() => import('@/kit/bar-chart'))

/** Cost and credits of all accounts in Copilot, and the upstreams' health. */
export function PlatformPage() {
  const filter = useMemo(() => span('30d'), [])
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
            <Stat label={t('Cost')} value={compactMoney(p.usage.total.cost, 'USD')} note={money(p.usage.total.cost, 'USD')} />
            <Stat label={t('Credits charged')} value={compactMoney(p.usage.total.credits, 'CREDITS')} note={moneyWords(p.usage.total.credits, 'CREDITS')} />
            <Stat label={t('Calls')} value={compactCount(p.usage.total.calls)} note={count(p.usage.total.calls)} />
            <Stat label={t('Accounts')} value={count(p.accounts.totalCount)} note={t('{{factor}} credits per $ by default', { factor: exact(p.defaultCreditFactor, 'CREDITS') })} />
          </div>
          <div className="grid gap-4 lg:grid-cols-3">
            <Card className="lg:col-span-2">
              <CardHead title={t('Cost by day')} note={t('US dollars, paid to upstream providers')} />
              <div className="px-3 pb-3">
                <Suspense fallback={<div className="h-52" />}>
                  <BarChart bars={p.usage.days.map((d) => ({ x: d.day, y: Number(d.cost) }))} xLabel={utcDay} yLabel={(v) => tickMoney(v, 'USD')} label={t('Cost by day: {{amount}} in 30 days.', { amount: money(p.usage.total.cost, 'USD') })} />
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
          <Card className="mt-4">
            <CardHead title={t('By account')} />
            <div className="border-t border-line">
              {p.usage.rows.length === 0 ? (
                <Empty icon={<Building2 aria-hidden />} title={t('No traffic yet')} />
              ) : (
                <Table label={t('Usage by account')}>
                  <Head>
                    <Th>{t('Account')}</Th>
                    <Th className="text-end">{t('Cost')}</Th>
                    <Th className="text-end">{t('Credits')}</Th>
                    <Th wide className="text-end">
                      {t('Calls')}
                    </Th>
                  </Head>
                  <tbody>
                    {p.usage.rows.map((r) => (
                      <tr key={r.account.id} className={rowClass}>
                        <Td className="font-medium">{r.account.name}</Td>
                        <Td className="text-end">{money(r.totals.cost, 'USD')}</Td>
                        <Td className="text-end">{money(r.totals.credits, 'CREDITS')}</Td>
                        <Td wide className="text-end">
                          {count(r.totals.calls)}
                        </Td>
                      </tr>
                    ))}
                  </tbody>
                </Table>
              )}
            </div>
          </Card>
        </>
      )}
    </>
  )
}
