import { ShieldCheck } from 'lucide-react'
import { AuditCheckpointsDocument, PlatformAuditCheckpointsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { CopyButton } from '@/kit/copy'
import { Copyable } from '@/kit/once'
import { ErrorBar } from '@/kit/state'
import { ago, count, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

/** How far the log is sealed and signed, and how one finds out by oneself that nothing is missing. */
export function Checkpoints() {
  const { account, isPlatformStaff } = useViewer()
  const own = useRead(AuditCheckpointsDocument, {}, isPlatformStaff)
  const platform = useRead(PlatformAuditCheckpointsDocument, {}, !isPlatformStaff)
  const { fault, retry } = isPlatformStaff ? platform : own
  const found = isPlatformStaff ? platform.data?.platform?.auditCheckpoints : own.data?.account?.auditCheckpoints
  const list = found?.edges.map((e) => e.node) ?? []
  const newest = list[0]
  if (fault) {
    return (
      <div className="mt-4">
        <ErrorBar fault={fault} retry={retry} />
      </div>
    )
  }
  if (!found) return null
  return (
    <Card className="mt-4">
      <details className="group">
        <summary className="flex min-h-12 cursor-pointer list-none flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 hover:bg-hover/60">
          <ShieldCheck aria-hidden className="size-5 shrink-0 text-ok" />
          <span className="font-medium">{newest ? t('Chain sealed and signed up to No. {{seq}}', { seq: count(newest.seq) }) : t('No checkpoint has been signed yet')}</span>
          {newest && (
            <time dateTime={newest.at} title={utc(newest.at)} className="text-muted">
              {ago(newest.at)}
            </time>
          )}
          <span className="grow" />
          <span className="text-xs text-accent-text group-open:hidden">{t('How to verify it')}</span>
        </summary>
        <div className="grid gap-4 border-t border-line px-4 py-4">
          <p className="max-w-3xl text-muted">
            {t('Every event carries the hash of the one before. A checkpoint signs how far that chain stood: whoever keeps one outside of Cockpit finds out when an older event was changed or a newer one removed. A new one is signed every 1,000 events, and after ten minutes when anything happened.')}
          </p>
          {list.length > 0 && (
            <ul className="rounded-lg border border-line">
              {list.map((c) => (
                <li key={c.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-3 py-1.5 last:border-b-0">
                  <span className="num font-medium">{t('No. {{seq}}', { seq: count(c.seq) })}</span>
                  <time dateTime={c.at} title={utc(c.at)} className="text-muted">
                    {dateTime(c.at)}
                  </time>
                  <span className="flex min-w-0 items-center gap-1">
                    <code className="truncate font-mono text-xs text-muted" title={c.hash}>
                      {c.hash.slice(0, 16)}…
                    </code>
                    <CopyButton compact text={c.hash} label={t('Copy hash of No. {{seq}}', { seq: c.seq })} />
                  </span>
                  <span className="grow" />
                  <CopyButton text={JSON.stringify({ account: account.id, seq: c.seq, hash: c.hash, at: c.at, signature: c.signature, signingKeyId: c.signingKeyId })} label={t('Copy checkpoint')} />
                </li>
              ))}
            </ul>
          )}
          <ol className="max-w-3xl list-decimal space-y-1 ps-5 text-muted">
            <li>{t('Copy a checkpoint and keep it where nobody who runs Cockpit can change it.')}</li>
            <li>{t('Export the whole log as NDJSON, without filters: it ends with a checkpoint of its own.')}</li>
            <li>
              {t('Recompute the chain from the file, on any machine; --checkpoint FILE adds what was kept.')}
              <div className="mt-2 text-fg">
                <Copyable text={`cockpit verify audit --export audit_${account.slug}.ndjson --keys ${location.origin}/.well-known/jwks.json`} label={t('Copy command')} />
              </div>
            </li>
          </ol>
        </div>
      </details>
    </Card>
  )
}
