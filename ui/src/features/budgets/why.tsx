import { Target } from 'lucide-react'
import type { ReactNode } from 'react'
import { BudgetWhyDocument, type BudgetWhyQuery } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { ago, dateTime, money, moneyWords, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { isZero } from './plan'

type Allocation = NonNullable<Extract<NonNullable<BudgetWhyQuery['node']>, { allocation?: unknown }>['allocation']>

/** Where each number of a budget comes from, and which budget binds. */
export function Why({ id, unit }: { id: string; unit: Unit }) {
  const { data, fault, loading, retry } = useRead(BudgetWhyDocument, { id })
  const a = data?.node && 'allocation' in data.node ? data.node.allocation : undefined
  if (fault) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonRows rows={6} />
  if (!a) return <p className="text-muted">{t('No money is spent here.')}</p>
  return (
    <div className="flex flex-col gap-5">
      <p className="flex items-start gap-2.5 rounded-lg bg-accent-soft/60 px-3 py-2.5">
        <Target aria-hidden className="mt-0.5 size-4 shrink-0 text-accent-text" />
        <span className="font-medium">{a.boundBy && a.free ? t('Limited by {{what}}: {{amount}} left.', { what: a.boundBy, amount: moneyWords(a.free, unit) }) : a.words}</span>
      </p>
      <Source a={a} />
      {a.limit && (
        <dl className="text-sm">
          <Line name={a.source === 'SHARE' ? t('Its share') : t('Its limit')} amount={a.base ?? '0'} unit={unit} />
          {!isZero(a.carried) && <Line name={t('Carried over from the last cycle')} sign="+" amount={a.carried} unit={unit} />}
          {!isZero(a.raised) && <Line name={t('Raised for a while')} sign="+" amount={a.raised} unit={unit} />}
          <Line name={t('In force in this cycle')} sign="=" amount={a.limit} unit={unit} strong />
          <Line name={t('Spent')} sign="−" amount={a.spent} unit={unit} />
          {!isZero(a.held) && <Line name={t('Held by running calls')} sign="−" amount={a.held} unit={unit} />}
          {a.free && <Line name={t('Free now')} amount={a.free} unit={unit} strong />}
        </dl>
      )}
      {a.limit && (
        <dl className="text-sm">
          <Line name={t('Given to those directly below')} amount={a.committed} unit={unit} />
          {!isZero(a.reserve) && <Line name={t('Kept back as a reserve')} amount={a.reserve} unit={unit} />}
        </dl>
      )}
      {!a.limit && a.free && <p className="text-muted">{t('{{amount}} can still be spent.', { amount: moneyWords(a.free, unit) })}</p>}
    </div>
  )
}

function Source({ a }: { a: Allocation }) {
  const words: Record<Allocation['source'], ReactNode> = {
    SET: a.setBy ? t('{{who}} set this limit {{when}}.', { who: a.setBy, when: a.setAt ? ago(a.setAt) : '' }) : t('An admin set this limit.'),
    SHARE: t('An equal share of {{from}}: {{formula}}.', { from: a.from ?? '', formula: a.formula ?? '' }),
    POOL: t('It has no limit of its own and draws on the budget of {{from}}.', { from: a.from ?? '' }),
    NONE: t('No budget stands here or above.'),
  }
  return (
    <p className="text-muted" title={a.setAt ? dateTime(a.setAt) : undefined}>
      {words[a.source]}
    </p>
  )
}

function Line({ name, sign = '', amount, unit, strong }: { name: string; sign?: string; amount: string; unit: Unit; strong?: boolean }) {
  return (
    <div className={strong ? 'flex items-baseline gap-3 border-y border-line py-2 font-semibold' : 'flex items-baseline gap-3 py-1.5'}>
      <dt className="min-w-0 grow">{name}</dt>
      <dd className="num flex w-36 shrink-0 items-baseline justify-end gap-1.5">
        <span aria-hidden className="text-muted">
          {sign}
        </span>
        {money(amount, unit)}
      </dd>
    </div>
  )
}
