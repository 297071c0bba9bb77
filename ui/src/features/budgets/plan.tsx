import { ArrowRight, TriangleAlert } from 'lucide-react'
import type { PlanPartsFragment, ScopeKind, TermsPartsFragment } from '@/graphql/generated/graphql'
import { cx } from '@/kit/cx'
import { count, dayIn, money, moneyWords, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Preview } from './preview'
import { isRoot } from './kinds'
import { useAccountZone } from './zone'

type Props = { preview: Preview; unit: Unit; /** Whose change is shown elsewhere already. */ but?: string; empty?: string; rows?: number }

/** What will change, above and below, before it is saved. */
export function Plan({ preview, unit, but, empty, rows = 6 }: Props) {
  const { plan, refusal, waiting } = preview
  if (refusal) return null
  if (!plan) return waiting ? <p className="text-muted">{t('Looking what would change…')}</p> : null
  const own = plan.changes.find((c) => c.scopeId === but)
  const changes = plan.changes.filter((c) => c !== own)
  const more = plan.changed - plan.changes.length + Math.max(0, changes.length - rows)
  return (
    <div className={cx('flex flex-col gap-2 transition-opacity', waiting && 'opacity-60')} aria-live="polite" aria-busy={waiting}>
      {plan.renewal && <Renewal renewal={plan.renewal} />}
      {own?.remaining && <p>{t('{{amount}} can then still be spent in this cycle.', { amount: moneyWords(own.remaining, unit) })}</p>}
      {changes.length === 0 && !own?.remaining && plan.warnings.length === 0 && <p className="text-muted">{empty ?? t('Nothing else changes.')}</p>}
      {changes.length > 0 && (
        <ul aria-label={t('What changes')} className="divide-y divide-line">
          {changes.slice(0, rows).map((c) => (
            <li key={c.scopeId} className="flex items-baseline gap-3 py-1" title={c.reason}>
              <span className="min-w-0 grow truncate">{c.scopeName}</span>
              <span className="num flex shrink-0 items-baseline gap-1.5">
                <span className="text-muted">{amount(c.before, c, unit)}</span>
                <ArrowRight aria-label={t('becomes')} className="size-3 self-center text-muted" />
                <span className={cx('font-medium', c.after && c.before && less(c.after, c.before) && 'text-warn')}>{amount(c.after, c, unit)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      {more > 0 && <p className="text-muted">{t('… and {{count}} more', { count: count(more) })}</p>}
      <Warnings plan={plan} />
    </div>
  )
}

/** When the current cycle ends now, and the one after it. */
function Renewal({ renewal: r }: { renewal: NonNullable<PlanPartsFragment['renewal']> }) {
  const timeZone = useAccountZone()
  const day = (at: string) => <strong className="num font-medium text-fg">{dayIn(at, timeZone)}</strong>
  if (!r.endsAt) return <p className="text-muted">{t('The current cycle goes on until somebody renews it.')}</p>
  return (
    <p className="text-muted">
      {r.previousEndsAt === r.endsAt ? t('The current cycle still ends on') : t('The current cycle now ends on')} {day(r.endsAt)}
      {r.previousEndsAt && r.previousEndsAt !== r.endsAt && (
        <>
          {' '}
          {t('instead of')} {day(r.previousEndsAt)}
        </>
      )}
      {r.nextEndsAt && (
        <>
          ; {t('the next one renews on')} {day(r.nextEndsAt)}
        </>
      )}
      .
    </p>
  )
}

const mostWarnings = 4

function Warnings({ plan }: { plan: PlanPartsFragment }) {
  const more = plan.warnings.length - mostWarnings
  return (
    <>
      {plan.warnings.slice(0, mostWarnings).map((w) => (
        <p key={w.scopeId + w.code} className="flex gap-1.5 text-warn">
          <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          <span>
            <span className="font-medium">{w.scopeName}:</span> {w.message}
          </span>
        </p>
      ))}
      {more > 0 && <p className="text-warn">{t('… and {{count}} more warnings', { count: count(more) })}</p>}
    </>
  )
}

const amount = (terms: TermsPartsFragment | null | undefined, of: { scopeKind: ScopeKind }, unit: Unit) => {
  if (!terms) return isRoot({ kind: of.scopeKind }) ? t('none') : t('pool')
  return isZero(terms.raised) ? money(terms.limit, unit) : t('{{limit}} + {{raised}}', { limit: money(terms.limit, unit), raised: money(terms.raised, unit) })
}

const less = (a: TermsPartsFragment, b: TermsPartsFragment) => Number(a.limit) + Number(a.raised) < Number(b.limit) + Number(b.raised)

export const isZero = (decimal: string) => !/[1-9]/.test(decimal)
