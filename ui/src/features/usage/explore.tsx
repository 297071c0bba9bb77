import { UsageDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Card, CardHead, Stat } from '@/kit/card'
import { Change } from '@/kit/change'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { about, compactCount, compactMoney, count, percent } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, unitOf } from '@/lib/plane'
import { Classes } from './classes'
import { nowhere } from './filters'
import { OverTime } from './over-time'
import { drill, groupOf, groups, intervalOf, ownGroups, type Search, useFilter, useZone } from './params'
import { Rows } from './rows'

/** Usage over time and by one of its dimensions. */
export function Explore({ plane, url, setUrl, seat }: { plane: Plane; url: Partial<Search>; setUrl: (patch: Partial<Search>) => void; /** Of one's own, and of nobody else. */ seat?: string }) {
  const filter = useFilter(seat ? { ...url, scope: url.scope ?? seat } : url, useZone())
  const offered = seat ? ownGroups : groups
  const group = groupOf(url, offered)
  const by = intervalOf(url)
  const { data, loading, fault, retry } = useRead(UsageDocument, { ...ask(plane), filter, groupBy: group, by })
  const report = pick(data)?.usage
  const unit = unitOf(plane)
  const filtered = !!(url.scope || url.model || url.user || url.tag || url.key || url.agent || url.client)
  const total = report?.total
  const cached = total && total.inputTokens > 0 ? (total.cachedInputTokens / total.inputTokens) * 100 : 0
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-[34rem]" />}
      {report && total && (
        <>
          <div className="mb-4 grid grid-cols-2 gap-4 lg:grid-cols-4">
            <Stat label={unit === 'USD' ? t('Spent') : t('Credits spent')} value={compactMoney(total.amount, unit)} note={Number(report.previous.amount) > 0 && <span title={t('Against as many days directly before')}><Change now={total.amount} before={report.previous.amount} /> {t('from {{amount}}', { amount: compactMoney(report.previous.amount, unit) })}</span>} />
            <Stat label={t('Calls')} value={count(total.calls)} note={total.calls > 0 ? unit === 'USD' ? t('about {{amount}} each', { amount: about(Number(total.amount) / total.calls, unit) }) : t('about {{amount}} credits each', { amount: about(Number(total.amount) / total.calls, unit) }) : ''} />
            <Stat label={t('Input tokens')} value={compactCount(total.inputTokens)} note={t('{{share}} from the cache', { share: percent(cached) })} />
            <Stat label={t('Output tokens')} value={compactCount(total.outputTokens)} note={total.reasoningTokens ? t('{{count}} of them reasoning', { count: compactCount(total.reasoningTokens) }) : ''} />
          </div>
          {total.calls > 0 && (
            <div className="mb-4 grid gap-4 lg:grid-cols-3">
              <OverTime className="lg:col-span-2" series={report.series} whole={total.amount} group={group} unit={unit} url={url} setUrl={setUrl} />
              <Card>
                <CardHead title={t('By class of tokens')} />
                <Classes rows={report.classes} unit={unit} />
              </Card>
            </div>
          )}
          <Card>
            <div className="flex items-center justify-between gap-3 border-b border-line px-4 py-2.5">
              <h2 className="text-sm font-semibold">{t('By {{group}}', { group: groups.find((g) => g.value === group)!.label.toLowerCase() })}</h2>
              <Select aria-label={t('Group by')} value={group} onChange={(group) => setUrl({ group })} options={offered} className="h-8 w-40" />
            </div>
            <Rows rows={report.rows} trends={report.trends.groups} group={group} unit={unit} filtered={filtered} onDrill={(id) => setUrl(drill(group, id, Boolean(seat)))} onClear={() => setUrl(nowhere)} />
          </Card>
        </>
      )}
    </>
  )
}
