import { Equal, TrendingUp } from 'lucide-react'
import type { BudgetPartsFragment } from '@/graphql/generated/graphql'
import { Badge } from '@/kit/badge'
import { day, money, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

/** What is special about a budget, beside its name. */
export function Marks({ budget, overrides, unit }: { budget: BudgetPartsFragment; /** It stands below one that gives equal shares. */ overrides: boolean; unit: Unit }) {
  return (
    <>
      {budget.distribution === 'EQUAL' && (
        <Badge>
          <Equal aria-hidden className="size-3" />
          {t('Shares equally')}
        </Badge>
      )}
      {budget.origin === 'SHARE' && <Badge>{t('Equal share')}</Badge>}
      {overrides && <Badge tone="accent">{t('Override')}</Badge>}
      {budget.increases.map((i) => (
        <Badge key={i.id} tone="info">
          <TrendingUp aria-hidden className="size-3" />
          <span title={i.reason || undefined}>{t('+{{amount}} until {{day}}', { amount: money(i.amount, unit), day: day(i.endsAt) })}</span>
        </Badge>
      ))}
      {budget.overcommitted && <Badge tone="warn">{t('Overcommitted')}</Badge>}
    </>
  )
}
