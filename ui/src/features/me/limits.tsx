import { CircleCheck, OctagonX, TrendingUp, TriangleAlert } from 'lucide-react'
import type { BudgetStatus, SeatPartsFragment } from '@/graphql/generated/graphql'
import { Badge } from '@/kit/badge'
import { Card, CardHead } from '@/kit/card'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { kindName, tone } from '@/features/budgets'

const words: Record<BudgetStatus, string> = {
  OK: t('Lasts'),
  PACE_HIGH: t('Lasts, just'),
  RUNS_OUT: t('Runs out before it renews'),
  BLOCKED: t('Used up: calls are refused'),
  OVER_ALLOWED: t('Spends its overflow'),
}

const icons = { ok: CircleCheck, high: TrendingUp, warn: TriangleAlert, bad: OctagonX }
const colours = { ok: 'text-ok', high: 'text-warn', warn: 'text-warn', bad: 'text-bad' }

/** Every budget on the way, and the one that stops a call first. Amounts of others stay with them. */
export function Limits({ seat }: { seat: SeatPartsFragment }) {
  const limits = seat.limits ?? []
  return (
    <Card>
      <CardHead title={t('Limits that apply')} note={t('The first one reached stops the call.')} />
      {limits.length === 0 ? (
        <p className="border-t border-line px-4 py-3 text-muted">{t('Nothing limits this seat.')}</p>
      ) : (
        <ol className="border-t border-line">
          {limits.map((l) => {
            const look = tone[l.status]
            const Icon = icons[look]
            return (
              <li key={`${l.kind} ${l.name}`} className="flex items-start gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
                <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${colours[look]}`} />
                <div className="min-w-0 grow">
                  <p className="truncate">
                    <span className="font-medium">{l.kind === 'MEMBER' ? t('My own') : l.kind === 'CONSOLE' || l.kind === 'COPILOT' ? t('All of {{plane}}', { plane: l.name }) : l.name}</span> <span className="text-muted">{l.kind === 'MEMBER' || l.kind === 'CONSOLE' || l.kind === 'COPILOT' ? '' : kindName[l.kind]}</span>
                  </p>
                  <p className="text-xs text-muted">
                    {words[l.status]} · <span title={utc(l.renewsAt)}>{t('renews {{day}}', { day: day(l.renewsAt) })}</span>
                  </p>
                </div>
                {l.binding && <Badge tone={look === 'ok' ? 'accent' : look === 'high' ? 'warn' : look}>{t('Reached first')}</Badge>}
              </li>
            )
          })}
        </ol>
      )}
    </Card>
  )
}
