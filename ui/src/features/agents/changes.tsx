import { AgentDiffDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Diff } from '@/kit/diff'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { fieldNames } from './words'

/** What changed from one version to another, or to the draft. */
export function Changes({ id, from, to }: { id: string; from: number; to?: number }) {
  const { data, loading, fault, retry } = useRead(AgentDiffDocument, { id, from, to })
  const changes = data?.node && 'diff' in data.node ? data.node.diff : undefined
  if (fault) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonRows rows={3} />
  if (!changes || changes.length === 0) return <p className="text-muted">{t('Nothing has changed.')}</p>
  return (
    <ul className="flex flex-col gap-3">
      {changes.map((c) => (
        <li key={c.field} className="overflow-hidden rounded-md border border-line">
          <h3 className="border-b border-line bg-bg px-3 py-1.5 text-xs font-semibold">{fieldNames[c.field] ?? c.field}</h3>
          <Diff before={c.before} after={c.after} label={t('Changes of {{field}}', { field: fieldNames[c.field] ?? c.field })} />
        </li>
      ))}
    </ul>
  )
}
