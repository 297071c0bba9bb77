import { BellRing } from 'lucide-react'
import { AlertsOfBudgetDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Badge } from '@/kit/badge'
import { ErrorBar } from '@/kit/state'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { standing, toneOf, what } from './words'

const usual = [80, 95, 100] as const

/** Which thresholds of a budget have fired in this cycle, and which are still ahead. */
export function BudgetAlerts({ budgetId, thresholds = usual }: { budgetId: string; thresholds?: readonly number[] }) {
  const { data, fault, retry } = useRead(AlertsOfBudgetDocument, { id: budgetId })
  const fired = data?.node && 'alerts' in data.node ? data.node.alerts : undefined
  const ahead = thresholds.filter((x) => !fired?.some((a) => a.threshold === x))
  return (
    <section>
      <h3 className="mb-1.5 text-sm font-semibold">{t('Alerts in this cycle')}</h3>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {fired && fired.length > 0 && (
        <ul>
          {fired.map((a) => (
            <li key={a.id} className="flex items-baseline gap-3 border-b border-line py-1.5 last:border-b-0">
              <Badge tone={toneOf(a)}>{what(a)}</Badge>
              <span className="num min-w-0 grow truncate text-xs text-muted">{standing(a)}</span>
              <time dateTime={a.createdAt} title={utc(a.createdAt)} className="shrink-0 text-xs text-muted">
                {ago(a.createdAt)}
              </time>
            </li>
          ))}
        </ul>
      )}
      {fired && ahead.length > 0 && (
        <p className="mt-1 flex items-center gap-2 text-xs text-muted">
          <BellRing aria-hidden className="size-3.5 shrink-0" />
          {t('Admins are told at {{shares}}, and when it is about to run out.', { shares: ahead.map((x) => `${x}%`).join(', ') })}
        </p>
      )}
    </section>
  )
}
