import { ChartColumn } from 'lucide-react'
import type { UsageGroup, UsagePartsFragment } from '@/graphql/generated/graphql'
import { Change } from '@/kit/change'
import { Empty } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { count, money, percent, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { groups } from './params'
import { Trend } from './trend'

type Props = { rows: UsagePartsFragment['rows']; /** In the order of the rows. */ trends: UsagePartsFragment['trends']['groups']; group: UsageGroup; unit: Unit; filtered: boolean; onDrill: (id: string) => void; onClear: () => void }

/** The parts of the usage, dearest first; each leads into itself. */
export function Rows({ rows, trends, group, unit, filtered, onDrill, onClear }: Props) {
  if (rows.length === 0) {
    return (
      <Empty
        icon={<ChartColumn aria-hidden />}
        title={filtered ? t('Nothing was used so') : group === 'TAG' ? t('No call had a tag') : t('No traffic yet')}
        action={
          filtered ? (
            <button type="button" onClick={onClear} className="rounded-sm text-sm font-medium text-accent-text underline underline-offset-2">
              {t('Clear filters')}
            </button>
          ) : undefined
        }
      >
        {!filtered && (group === 'TAG' ? t('Programs tag their calls by the header X-Cockpit-Tags.') : t('Make a call with a virtual key: it shows here within a second.'))}
      </Empty>
    )
  }
  return (
    <Table label={t('Usage')}>
      <Head>
        <Th>{groups.find((g) => g.value === group)!.label}</Th>
        <Th className="text-end">{unit === 'USD' ? t('Spent') : t('Credits')}</Th>
        <Th wide className="text-end">
          <abbr title={t('Against as many days directly before')} className="no-underline">
            {t('Change')}
          </abbr>
        </Th>
        <Th wide className="w-32">
          {t('Trend')}
        </Th>
        <Th className="w-44">{t('Share')}</Th>
        <Th wide className="text-end">
          {t('Calls')}
        </Th>
        <Th wide className="text-end">
          {t('Input tokens')}
        </Th>
        <Th wide className="text-end">
          {t('Output tokens')}
        </Th>
      </Head>
      <tbody>
        {rows.map((r, i) => (
          <tr key={r.id || r.name} className={rowClass}>
            <Td className="max-w-56 truncate font-medium">
              {r.id ? (
                <button type="button" data-row-link onClick={() => onDrill(r.id)} className="max-w-full truncate rounded-sm text-start hover:underline" title={t('Narrow down to {{name}}', { name: r.name || r.id })}>
                  {r.name || r.id}
                </button>
              ) : (
                <span className="text-muted">{t('Without one')}</span>
              )}
            </Td>
            <Td className="num text-end">
              {money(r.totals.amount, unit)}
              <span className="block md:hidden">
                <Change now={r.totals.amount} before={r.previous.amount} />
              </span>
            </Td>
            <Td wide className="text-end">
              <Change now={r.totals.amount} before={r.previous.amount} />
            </Td>
            <Td wide>
              <Trend values={trends[i]?.amounts.map(Number) ?? []} />
            </Td>
            <Td>
              <span className="flex items-center gap-2.5">
                <span aria-hidden className="h-1.5 grow rounded-full bg-track">
                  <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.max(0, Math.min(100, r.share))}%` }} />
                </span>
                <span className="num w-10 text-end text-xs text-muted">{percent(r.share)}</span>
              </span>
            </Td>
            <Td wide className="num text-end">
              {count(r.totals.calls)}
            </Td>
            <Td wide className="num text-end text-muted">
              {count(r.totals.inputTokens)}
            </Td>
            <Td wide className="num text-end text-muted">
              {count(r.totals.outputTokens)}
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
