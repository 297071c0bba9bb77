import { Equal, TrendingUp, TriangleAlert } from 'lucide-react'
import type { BudgetPartsFragment } from '@/graphql/generated/graphql'
import { Badge } from '@/kit/badge'
import { day, money, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useAccountZone } from './zone'

type Props = { budget: BudgetPartsFragment; /** It stands below one that gives equal shares. */ overrides: boolean; unit: Unit; /** Little room on a phone: signs without words, or nothing. */ tight?: boolean }

/** What is special about a budget, beside its name. */
export function Marks({ budget, overrides, unit, tight }: Props) {
  const zone = useAccountZone()
  const words = tight ? 'max-md:sr-only' : undefined
  const wide = tight ? 'max-md:hidden' : undefined
  return (
    <>
      {budget.distribution === 'EQUAL' && (
        <Badge>
          <Equal aria-hidden className="size-3" />
          <span className={words}>{t('Shares equally')}</span>
        </Badge>
      )}
      {budget.origin === 'SHARE' && <Badge className={wide}>{t('Equal share')}</Badge>}
      {overrides && <Badge tone="accent" className={wide}>{t('Override')}</Badge>}
      {budget.increases.map((i) => (
        <Badge key={i.id} tone="info">
          <TrendingUp aria-hidden className="size-3" />
          <span title={i.reason || undefined} className={words}>{t('+{{amount}} until {{day}}', { amount: money(i.amount, unit), day: day(i.endsAt, zone) })}</span>
        </Badge>
      ))}
      {budget.overcommitted && (
        <Badge tone="warn">
          <TriangleAlert aria-hidden className="size-3" />
          <span className={words}>{t('Overcommitted')}</span>
        </Badge>
      )}
    </>
  )
}
