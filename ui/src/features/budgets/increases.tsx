import { type BudgetPartsFragment, BudgetIncreaseEndDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { dateTime, money, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useAccountZone } from './zone'

/** Temporary increases, each with its end, which an admin may bring forward. */
export function Increases({ budget, unit, allowed }: { budget: BudgetPartsFragment; unit: Unit; allowed: boolean }) {
  const { run, busy, fault } = useMutate(BudgetIncreaseEndDocument)
  const zone = useAccountZone()
  if (budget.increases.length === 0) return null
  return (
    <ul aria-label={t('Temporary increases')} className="rounded-lg border border-line">
      {budget.increases.map((i) => (
        <li key={i.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
          <span className="min-w-0 grow">
            <span className="num font-medium">+{money(i.amount, unit)}</span> <span className="text-muted" title={`${zone} · ${utc(i.endsAt)}`}>{t('until {{when}}', { when: dateTime(i.endsAt, zone) })}</span>
            {i.reason && <span className="block truncate text-xs text-muted">{i.reason}</span>}
          </span>
          {allowed && (
            <Button
              size="sm"
              variant="ghost"
              busy={busy}
              onClick={() => void run({ input: { increaseId: i.id } }).then((p) => p && (p.errors[0] ? toast(p.errors[0].message) : toast(t('The increase has ended'))))}
            >
              {t('End now')}
            </Button>
          )}
        </li>
      ))}
      {fault && <ErrorBar fault={fault} />}
    </ul>
  )
}
