import type { CatalogImpactPartsFragment } from '@/graphql/generated/graphql'
import { Facts } from '@/kit/facts'
import { Notice } from '@/kit/notice'
import { count, exact } from '@/lib/format'
import { t } from '@/lib/i18n'

/** What taking a model away does to accounts, counted before it is done. */
export function ImpactOf({ impact }: { impact: CatalogImpactPartsFragment }) {
  if (impact.accounts.length === 0) return <p className="text-sm text-muted">{t('No account that has it on loses it.')}</p>
  const facts = [
    [t('Grants that allow it'), count(impact.grants)],
    [t('Keys that list it'), count(impact.keys)],
    [t('Agents that call it'), count(impact.agents)],
    [t('Scopes that have it as default'), count(impact.defaults)],
    [t('Calls of the last 30 days'), count(impact.calls)],
    [t('Credits of the last 30 days'), exact(impact.credits, 'CREDITS')],
  ] as const
  const shown = impact.accounts.slice(0, 5).join(', ')
  return (
    <div className="flex flex-col gap-3">
      <Notice tone="warn">
        {impact.accounts.length > 5
          ? t('Calls are refused at once in {{accounts}} and {{count}} more. Their admins are told.', { accounts: shown, count: impact.accounts.length - 5 })
          : t('Calls are refused at once in {{accounts}}. Their admins are told.', { accounts: shown })}
      </Notice>
      <Facts facts={facts} className="grid-cols-[14rem_1fr] max-sm:grid-cols-[10rem_1fr]" />
    </div>
  )
}
