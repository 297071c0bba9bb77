import { KeyLimitsDocument, type KeyPartsFragment } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { CopyButton } from '@/kit/copy'
import { Sheet } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { ago, dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'
import { kindName, named, Used } from '@/features/budgets'
import { Snippet } from './snippet'
import { StateBadge } from './table'

/** A key with every limit that applies to it, as the server sees them. */
export function KeyPeek({ apiKey: k, onClose }: { apiKey: KeyPartsFragment; onClose: () => void }) {
  const { data, loading, fault, retry } = useRead(KeyLimitsDocument, { id: k.id })
  const account = useViewer().account.name
  const limits = data?.node && 'limits' in data.node ? data.node.limits : []
  const facts: [string, React.ReactNode][] = [
    [t('State'), <StateBadge key="s" state={k.state} />],
    [t('Owner'), [k.owner.name, k.location].filter(Boolean).join(' · ')],
    [t('Calls per minute'), k.requestsPerMinute ? t('{{count}} per minute', { count: k.requestsPerMinute }) : t('No limit of its own')],
    [t('Last used'), k.lastUsedAt ? ago(k.lastUsedAt) : t('Never')],
    [t('Created'), dateTime(k.createdAt)],
    [t('Expires'), k.expiresAt ? dateTime(k.expiresAt) : t('Never')],
    [
      t('Id'),
      <span key="i" className="flex items-center gap-1">
        <code className="font-mono text-xs">{k.id}</code>
        <CopyButton compact text={k.id} label={t('Copy id')} />
      </span>,
    ],
  ]
  return (
    <Sheet open onClose={onClose} title={k.name} description={<code className="font-mono">{k.prefix}</code>} className="max-w-lg">
      <dl className="grid grid-cols-[8rem_1fr] gap-x-4 gap-y-2">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0">{value}</dd>
          </div>
        ))}
        <dt className="text-muted">{t('Models')}</dt>
        <dd className="flex flex-wrap gap-1">
          {k.models.map((m) => (
            <Badge key={m.id}>{m.name}</Badge>
          ))}
        </dd>
      </dl>
      <h3 className="mt-6 mb-1 font-semibold">{t('Limits that apply to this key')}</h3>
      <p className="mb-3 text-muted">{t('A call passes only if it fits into each of them.')}</p>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={3} />}
      <ul className="flex flex-col gap-3">
        {limits.map((b) => (
          <li key={b.id}>
            <p className="mb-1 font-medium">
              {named(b.scope, account).name} <span className="text-xs font-normal text-muted">{kindName[b.scope.kind]}</span>
            </p>
            <Used state={b.state} name={b.scope.name} />
          </li>
        ))}
      </ul>
      <h3 className="mt-6 mb-2 font-semibold">{t('Try it')}</h3>
      <Snippet secret="$COCKPIT_KEY" model={k.models[0]?.name ?? ''} />
    </Sheet>
  )
}
