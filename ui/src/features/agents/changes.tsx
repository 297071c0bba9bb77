import { AgentDiffDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { cx } from '@/kit/cx'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { compareLines } from './lines'
import { fieldNames } from './words'

const looks = {
  same: { mark: ' ', word: '', className: '' },
  gone: { mark: '−', word: t('removed: '), className: 'bg-bad-soft' },
  new: { mark: '+', word: t('added: '), className: 'bg-ok-soft' },
}

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
          <div className="max-h-72 overflow-auto py-1 font-mono text-xs" tabIndex={0} role="group" aria-label={t('Changes of {{field}}', { field: fieldNames[c.field] ?? c.field })}>
            {Array.from(compareLines(c.before, c.after).entries(), ([at, line]) => (
              <div key={at} className={cx('flex gap-2 px-3 whitespace-pre-wrap', looks[line.kind].className)}>
                <span aria-hidden className="w-2 shrink-0 text-muted select-none">
                  {looks[line.kind].mark}
                </span>
                <span className="sr-only">{looks[line.kind].word}</span>
                <span className="min-w-0 break-words">{line.text || ' '}</span>
              </div>
            ))}
          </div>
        </li>
      ))}
    </ul>
  )
}
