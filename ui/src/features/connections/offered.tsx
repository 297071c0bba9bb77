import { PackageOpen } from 'lucide-react'
import { useState } from 'react'
import { type ConnectionRowFragment, ConnectionToolsDocument, ToolApproveDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Button } from '@/kit/button'
import { DialogActions } from '@/kit/dialog'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'

type Props = { connection: Pick<ConnectionRowFragment, 'id' | 'name' | 'health'>; approves: boolean; onDone: () => void }

/** New tools, to be approved as many as one likes at once; what was chosen is approved as it was shown. */
export function Offered({ connection, approves, onDone }: Props) {
  const { data, rows, loading, fault, retry, more } = usePages(ConnectionToolsDocument, { id: connection.id }, (d) => (d.node && 'tools' in d.node ? d.node.tools : undefined))
  const { run, busy, fault: refused } = useMutate(ToolApproveDocument)
  const [error, setError] = useState<string>()
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const pending = rows.filter((r) => r.state === 'PENDING' && r.enabled)
  const chosen = pending.filter((r) => !left.has(r.id))
  const toggle = (id: string, on: boolean) => setLeft((was) => new Set(on ? [...was].filter((x) => x !== id) : [...was, id]))
  const approve = async () => {
    setError(undefined)
    const payload = await run({ input: { tools: chosen.slice(0, 500).map((r) => ({ toolId: r.id, digest: r.digest })) } })
    if (!payload) return
    if (payload.errors[0]) {
      setError(payload.errors[0].message)
      return retry()
    }
    toast(t('{{count}} tools are approved', { count: chosen.length }))
    onDone()
  }
  if (loading) return <SkeletonRows rows={4} />
  return (
    <>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {connection.health.discoveryError && (
        <Notice tone="warn" title={t('Not all of it was taken')}>
          {connection.health.discoveryError}
        </Notice>
      )}
      {data && pending.length === 0 && <Empty icon={<PackageOpen aria-hidden />} title={rows.length === 0 ? t('It offers no tools') : t('Nothing waits for approval')} />}
      {pending.length > 0 && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-2">
            <p className="text-sm text-muted">{t('Models read these words. Approve what you would let them do.')}</p>
            {approves && (
              <Button size="sm" variant="ghost" onClick={() => setLeft(chosen.length === pending.length ? new Set(pending.map((r) => r.id)) : new Set())}>
                {chosen.length === pending.length ? t('Choose none') : t('Choose all')}
              </Button>
            )}
          </div>
          <ul className="max-h-[40vh] overflow-y-auto rounded-lg border border-line" tabIndex={0} aria-label={t('New tools')}>
            {pending.map((r) => (
              <li key={r.id} className="border-b border-line px-3.5 py-2.5 last:border-b-0">
                {approves ? (
                  <Checkbox checked={!left.has(r.id)} onChange={(on) => toggle(r.id, on)}>
                    <Words tool={r} />
                  </Checkbox>
                ) : (
                  <Words tool={r} />
                )}
              </li>
            ))}
          </ul>
          {more && (
            <Button size="sm" onClick={more} className="self-start">
              {t('Show more')}
            </Button>
          )}
        </>
      )}
      {error && <Notice tone="warn" alert title={t('Not approved')}>{error}</Notice>}
      {refused && <ErrorBar fault={refused} />}
      <DialogActions>
        <Button onClick={onDone}>{pending.length > 0 ? t('Later') : t('Open the connection')}</Button>
        {approves && pending.length > 0 && (
          <Button variant="primary" busy={busy} disabled={chosen.length === 0} onClick={() => void approve()}>
            {t('Approve {{count}} tools', { count: chosen.length })}
          </Button>
        )}
      </DialogActions>
    </>
  )
}

function Words({ tool }: { tool: { name: string; title: string; description: string } }) {
  return (
    <span className="block min-w-0">
      <span className="block font-medium break-words">
        {tool.title} {tool.title !== tool.name && <code className="font-mono text-xs font-normal text-muted">{tool.name}</code>}
      </span>
      <span className="block text-xs break-words text-muted">{tool.description}</span>
    </span>
  )
}
