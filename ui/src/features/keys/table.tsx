import { Ban, KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import type { KeyPartsFragment, KeyState } from '@/graphql/generated/graphql'
import { may } from '@/graphql/viewer'
import { Badge, type Tone } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Empty } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { ago, dateTime, day, money, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

const states: Record<KeyState, { tone: Tone; label: string }> = {
  ACTIVE: { tone: 'ok', label: t('Active') },
  EXPIRED: { tone: 'warn', label: t('Expired') },
  REVOKED: { tone: 'bad', label: t('Revoked') },
}

export function StateBadge({ state }: { state: KeyState }) {
  return <Badge tone={states[state].tone}>{states[state].label}</Badge>
}

type Props = { unit: Unit; keys: readonly KeyPartsFragment[]; onOpen: (id: string) => void; onRevoke: (key: KeyPartsFragment) => void; create?: ReactNode; filtered: boolean }

export function KeyTable({ unit, keys, onOpen, onRevoke, create, filtered }: Props) {
  if (keys.length === 0) {
    return (
      <Empty icon={<KeyRound aria-hidden />} title={filtered ? t('No key matches') : t('No keys yet')} action={filtered ? undefined : create}>
        {!filtered && t('A virtual key lets a program call models within a budget, without ever seeing the provider\'s own key.')}
      </Empty>
    )
  }
  return (
    <Table label={t('Virtual keys')}>
      <Head>
        <Th>{t('Name')}</Th>
        <Th wide>{t('Owner')}</Th>
        <Th wide>{t('Models')}</Th>
        <Th wide>{unit === 'USD' ? t('Spent') : t('Credits spent')}</Th>
        <Th wide>{t('Last used')}</Th>
        <Th wide>{t('Expires')}</Th>
        <Th>{t('State')}</Th>
        <Th>
          <span className="sr-only">{t('Actions')}</span>
        </Th>
      </Head>
      <tbody>
        {keys.map((k) => (
          <tr key={k.id} className={rowClass}>
            <Td>
              <button type="button" data-row-link onClick={() => onOpen(k.id)} className="block rounded-sm text-start font-medium hover:underline">
                {k.name}
              </button>
              <code className="font-mono text-xs text-muted">{k.prefix}</code>
            </Td>
            <Td wide>
              <span className="block max-w-48 truncate">{k.owner.name}</span>
              <span className="block max-w-48 truncate text-xs text-muted">{k.location}</span>
            </Td>
            <Td wide className="text-muted">
              <span className="block max-w-44 truncate" title={k.models.map((m) => m.name).join(', ')}>
                {k.models.length === 1 ? k.models[0]!.name : t('{{count}} models', { count: k.models.length })}
              </span>
            </Td>
            <Td wide className="whitespace-nowrap">
              {k.budget ? (
                <>
                  {money(k.budget.state.spent, k.budget.state.unit)} <span className="text-muted">{t('of {{limit}}', { limit: money(k.budget.state.limit, k.budget.state.unit) })}</span>
                </>
              ) : (
                <span className="text-muted">{t("Owner's budget")}</span>
              )}
            </Td>
            <Td wide className="whitespace-nowrap text-muted">
              {k.lastUsedAt ? <time title={utc(k.lastUsedAt)}>{ago(k.lastUsedAt)}</time> : t('Never')}
            </Td>
            <Td wide className="whitespace-nowrap text-muted">
              {k.expiresAt ? <time title={dateTime(k.expiresAt)}>{day(k.expiresAt)}</time> : t('Never')}
            </Td>
            <Td>
              <StateBadge state={k.state} />
            </Td>
            <Td className="w-0 text-end">
              {k.state === 'ACTIVE' && may(k, 'key.revoke') && (
                <Button variant="ghost" size="sm" onClick={() => onRevoke(k)} aria-label={t('Revoke {{name}}', { name: k.name })}>
                  <Ban aria-hidden /> <span className="max-sm:hidden">{t('Revoke')}</span>
                </Button>
              )}
            </Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
