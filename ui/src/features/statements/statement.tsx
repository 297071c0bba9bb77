import { Link, useParams } from '@tanstack/react-router'
import { ArrowLeft, Printer } from 'lucide-react'
import type { ReactNode } from 'react'
import { StatementPageDocument, type StatementPartsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { Card } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Id } from '@/kit/facts'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { count, dateTime, exact, fromNano, moneyWords, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, slugOf } from '@/lib/plane'
import { cycleName, nameOfScope } from './words'

/** One closed cycle on one page, to be read, kept and printed. */
export function StatementPage({ plane }: { plane: Plane }) {
  const { account } = useViewer()
  const { id } = useParams({ strict: false }) as { id: string }
  const { data, fault, loading, retry } = useRead(StatementPageDocument, { id })
  const s = data?.node && 'closedAt' in data.node ? (data.node as StatementPartsFragment) : undefined
  return (
    <div className="mx-auto max-w-3xl">
      <div className="mb-4 flex items-center justify-between gap-2 print:hidden">
        <Link to="/a/$account/$plane/statements" params={{ account: account.slug, plane: slugOf(plane) }} className={cx(buttonClass({ variant: 'ghost', size: 'sm' }), '-ms-2.5')}>
          <ArrowLeft aria-hidden /> {t('Statements')}
        </Link>
        {s && (
          <Button size="sm" onClick={() => print()}>
            <Printer aria-hidden /> {t('Print')}
          </Button>
        )}
      </div>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      <Card className="print:border-0 print:shadow-none">
        {loading && <SkeletonRows rows={10} />}
        {data && !s && !fault && (
          <Empty page title={t('There is no such statement')}>
            {t('Or you may not see it: an admin or auditor of its scope does.')}
          </Empty>
        )}
        {s && <Sheet s={s} plane={plane} />}
      </Card>
    </div>
  )
}

function Sheet({ s, plane }: { s: StatementPartsFragment; plane: Plane }) {
  const { account } = useViewer()
  const unit: Unit = s.unit
  return (
    <article className="flex flex-col gap-7 px-7 py-7 max-sm:px-4 max-sm:py-5">
      <header className="flex flex-wrap items-start justify-between gap-x-8 gap-y-3">
        <div className="min-w-0">
          <p className="text-xs font-medium text-muted">{t('Budget statement · {{account}} · {{plane}}', { account: account.name, plane: nameOf(plane) })}</p>
          <h1 className="mt-1 text-2xl font-semibold tracking-tight">{nameOfScope(s, account.name)}</h1>
          <p className="text-muted">{[s.location, cycleName(s.startsAt, s.endsAt, account.timeZone)].filter(Boolean).join(' · ')}</p>
        </div>
        <div className="text-end max-sm:text-start">
          <p className="text-xs text-muted">{t('Total')}</p>
          <p className="num text-2xl font-semibold tracking-tight">{moneyWords(s.total, unit)}</p>
          <p className="text-xs text-muted">{t('{{count}} calls', { count: s.calls })}</p>
        </div>
      </header>

      <div className="grid grid-cols-2 gap-8 max-sm:grid-cols-1">
        <Lines
          title={t('What could be spent')}
          unit={unit}
          rows={[
            [t('Limit of the budget'), t('as it stood at the end'), minus(minus(s.limit, s.carriedIn), s.raised)],
            [t('Carried in'), t('left over from the cycle before'), s.carriedIn],
            [t('Temporary increases'), t('in force at the end'), s.raised],
          ]}
          sum={[t('Limit of this cycle'), s.limit]}
          after={[[t('Overflow allowance'), t('beyond the limit, booked apart'), s.overflow]]}
        />
        <Lines
          title={t('What was spent')}
          unit={unit}
          rows={[
            [t('Within the limit'), undefined, minus(minus(s.spent, s.overflowSpent), s.excessSpent)],
            [t('In the overflow'), t('settled with this statement'), s.overflowSpent],
            [t('Beyond both'), t('the limit was lowered later, or a provider used more than was held'), s.excessSpent],
            [t('Corrections of earlier cycles'), t('calls that turned out cheaper'), s.corrections],
          ]}
          sum={[t('Total'), s.total]}
          after={[[t('Carried into the next cycle'), t('of the limit, up to the cap'), s.carriedOut]]}
        />
      </div>

      <section>
        <h2 className="mb-1.5 text-sm font-semibold">{t('By model')}</h2>
        {s.models.length === 0 ? (
          <p className="text-muted">{t('No calls were charged.')}</p>
        ) : (
          <table className="w-full border-collapse text-sm">
            <thead>
              <tr className="border-b border-line text-xs text-muted">
                <th scope="col" className="py-1.5 text-start font-medium">
                  {t('Model')}
                </th>
                <th scope="col" className="py-1.5 text-end font-medium">
                  {t('Calls')}
                </th>
                <th scope="col" className="py-1.5 text-end font-medium max-sm:hidden">
                  {t('Tokens in')}
                </th>
                <th scope="col" className="py-1.5 text-end font-medium max-sm:hidden">
                  {t('Tokens out')}
                </th>
                <th scope="col" className="py-1.5 text-end font-medium">
                  {t('Amount')}
                </th>
              </tr>
            </thead>
            <tbody>
              {s.models.map((m) => (
                <tr key={m.modelId} className="border-b border-line">
                  <td className="py-1.5 pe-3 break-words">{m.name}</td>
                  <td className="num py-1.5 text-end">{count(m.calls)}</td>
                  <td className="num py-1.5 text-end max-sm:hidden">{count(m.inputTokens)}</td>
                  <td className="num py-1.5 text-end max-sm:hidden">{count(m.outputTokens)}</td>
                  <td className="num py-1.5 text-end">{exact(m.amount, unit)}</td>
                </tr>
              ))}
              <tr className="font-medium">
                <td className="pt-1.5">{t('Spent')}</td>
                <td className="num pt-1.5 text-end">{count(s.calls)}</td>
                <td className="max-sm:hidden" />
                <td className="max-sm:hidden" />
                <td className="num pt-1.5 text-end">{exact(s.spent, unit)}</td>
              </tr>
            </tbody>
          </table>
        )}
      </section>

      <footer className="border-t border-line pt-4 text-xs text-muted">
        <p title={utc(s.closedAt)}>{t('Written {{when}}, when the last call of the cycle was charged. It never changes; corrections stand on a later statement.', { when: dateTime(s.closedAt) })}</p>
        <p className="mt-1">{t('The cycle: {{from}} up to {{to}}.', { from: utc(s.startsAt), to: utc(s.endsAt) })}</p>
        <div className="mt-1">
          <Id id={s.id} />
        </div>
      </footer>
    </article>
  )
}

type Line = readonly [label: string, note: string | undefined, amount: string]

function Lines({ title, unit, rows, sum, after }: { title: string; unit: Unit; rows: readonly Line[]; sum: readonly [string, string]; after: readonly Line[] }) {
  const line = ([label, note, amount]: Line) => (
    <Amount key={label} label={label} note={note}>
      {exact(amount, unit)}
    </Amount>
  )
  return (
    <section>
      <h2 className="mb-1.5 text-sm font-semibold">{title}</h2>
      <dl>
        {rows.filter((r, i) => i === 0 || /[1-9]/.test(r[2])).map(line)}
        <Amount label={sum[0]} strong>
          {exact(sum[1], unit)}
        </Amount>
        {after.filter((r) => /[1-9]/.test(r[2])).map(line)}
      </dl>
    </section>
  )
}

function Amount({ label, note, strong, children }: { label: string; note?: string; strong?: boolean; children: ReactNode }) {
  return (
    <div className={cx('flex items-baseline justify-between gap-4 border-b border-line py-1.5 last:border-b-0', strong && 'font-semibold')}>
      <dt className="min-w-0">
        {label}
        {note && <span className="block text-xs font-normal text-muted">{note}</span>}
      </dt>
      <dd className="num shrink-0">{children}</dd>
    </div>
  )
}

const nanos = (amount: string) => {
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.')
  const n = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  return amount.startsWith('-') ? -n : n
}

/** Exact: amounts are decimals of nine places. */
function minus(a: string, b: string): string {
  return fromNano((nanos(a) - nanos(b)).toString())
}
