import { RotateCcw, Send } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type DeliveryPartsFragment, type WebhookDeliveryStatus, type WebhookPartsFragment, WebhookDeliveriesDocument, WebhookReplayDocument, WebhookTestDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { TableFoot } from '@/kit/more'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { ago, count, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { topics } from '@/features/inbox'
import { deliveryState, outcome, pretty, stateOf } from './words'

type Props = { webhook: WebhookPartsFragment; mayManage: boolean; onClose: () => void }

/** A webhook with all that was sent there, and how it went. */
export function WebhookPeek({ webhook: w, mayManage, onClose }: Props) {
  const [status, setStatus] = useState<WebhookDeliveryStatus | 'ALL'>('ALL')
  const list = usePages(WebhookDeliveriesDocument, { id: w.id, status: status === 'ALL' ? undefined : status }, (d) => (d.node && 'deliveries' in d.node ? d.node.deliveries : undefined))
  const test = useMutate(WebhookTestDocument)
  const replay = useMutate(WebhookReplayDocument)
  const { retry } = list
  // What is on its way is looked at until it has arrived or waits for long.
  const moving = list.rows.some((d) => d.status === 'PENDING')
  useEffect(() => {
    if (!moving) return
    const timer = setInterval(retry, 1500)
    return () => clearInterval(timer)
  }, [moving, retry])

  const sendTest = async () => {
    const payload = await test.run({ input: { webhookId: w.id } })
    if (payload?.errors[0]) toast(payload.errors[0].message)
    retry()
  }
  const again = async (input: { deliveryId?: string; failedSince?: string }) => {
    const payload = await replay.run({ input: { webhookId: w.id, ...input } })
    if (payload) toast(payload.errors[0]?.message ?? t('{{count}} deliveries are on their way again', { count: payload.count }))
    retry()
  }
  const active = w.status === 'ACTIVE'
  const state = stateOf(w)
  return (
    <Sheet open onClose={onClose} title={w.name} description={<span className="font-mono text-xs break-all">{w.url}</span>} className="max-w-xl">
      <div className="flex flex-col gap-5">
        {w.statusReason && <Notice tone="warn">{w.statusReason}</Notice>}
        {active && w.failingSince && <Notice tone="warn">{t('Nothing has arrived since {{when}}. It is disabled after five days of that.', { when: dateTime(w.failingSince) })}</Notice>}
        <Facts
          facts={[
            [t('State'), <Badge key="s" tone={state.tone}>{state.name}</Badge>],
            [t('Hears of'), w.topics.map((x) => topics[x].name).join(', ')],
            [t('Products'), w.planes.map(nameOf).join(', ')],
            [t('Secret'), `…${w.secretHint}`],
            w.previousSecretExpiresAt ? [t('Secret before'), t('signs as well until {{when}}', { when: dateTime(w.previousSecretExpiresAt) })] : null,
            [t('Id'), <Id key="i" id={w.id} />],
          ]}
        />
        {mayManage && active && (
          <div className="flex flex-wrap gap-2">
            <Button size="sm" busy={test.busy} onClick={sendTest}>
              <Send aria-hidden /> {t('Send test event')}
            </Button>
            <Button size="sm" busy={replay.busy} onClick={() => again({ failedSince: new Date(Date.now() - 24 * 3600_000).toISOString() })}>
              <RotateCcw aria-hidden /> {t('Send failed ones of the last day again')}
            </Button>
          </div>
        )}
        <section>
          <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
            <h3 className="text-sm font-semibold">{t('Deliveries')}</h3>
            <Segments
              label={t('Which')}
              value={status}
              onChange={setStatus}
              options={[{ value: 'ALL', label: t('All') }, { value: 'PENDING', label: t('On their way') }, { value: 'DELIVERED', label: t('Delivered') }, { value: 'FAILED', label: t('Failed') }]}
            />
          </div>
          {(list.fault ?? test.fault ?? replay.fault) && <ErrorBar fault={(list.fault ?? test.fault ?? replay.fault)!} retry={retry} />}
          {list.loading && <SkeletonRows rows={4} />}
          {!list.loading && list.rows.length === 0 && <p className="py-6 text-center text-muted">{status === 'ALL' ? t('Nothing was sent yet. A test event shows whether it arrives.') : t('None.')}</p>}
          <ul aria-label={t('Deliveries')}>
            {list.rows.map((d) => (
              <Delivery key={d.id} delivery={d} onAgain={mayManage && active && d.status !== 'PENDING' ? () => again({ deliveryId: d.id }) : undefined} />
            ))}
          </ul>
          <TableFoot more={list.more} busy={list.fetching} />
        </section>
      </div>
    </Sheet>
  )
}

function Delivery({ delivery: d, onAgain }: { delivery: DeliveryPartsFragment; onAgain?: () => void }) {
  const state = deliveryState[d.status]
  return (
    <li className="border-b border-line last:border-b-0">
      <details className="group">
        <summary className="flex min-h-8 cursor-pointer list-none flex-wrap items-baseline gap-x-3 gap-y-1 rounded-sm py-2 hover:bg-hover/60">
          <Badge tone={state.tone}>{state.name}</Badge>
          <code className="font-mono text-xs">{d.type}</code>
          <span className="min-w-0 grow truncate text-xs text-muted">{outcome(d)}</span>
          <time dateTime={d.createdAt} title={utc(d.createdAt)} className="shrink-0 text-xs text-muted">
            {ago(d.createdAt)}
          </time>
        </summary>
        <div className="flex flex-col gap-3 pb-3">
          <Facts
            facts={[
              [t('webhook-id'), <Id key="m" id={d.messageId} />],
              [t('Attempts'), count(d.attempts)],
              d.nextAt ? [t('Tried again'), dateTime(d.nextAt)] : null,
              d.responseStatus ? [t('Answer'), t('{{status}}, after {{ms}} ms', { status: d.responseStatus, ms: count(d.latencyMs) })] : null,
              d.error ? [t('Error'), d.error] : null,
            ]}
          />
          <Text title={t('Payload')}>{pretty(d.payload)}</Text>
          {d.response && <Text title={t('What was answered')}>{d.response}</Text>}
          {onAgain && (
            <div>
              <Button size="sm" onClick={onAgain}>
                <RotateCcw aria-hidden /> {t('Send again')}
              </Button>
            </div>
          )}
        </div>
      </details>
    </li>
  )
}

function Text({ title, children }: { title: string; children: string }) {
  return (
    <div>
      <p className="mb-1 text-xs text-muted">{title}</p>
      <pre tabIndex={0} aria-label={title} className="max-h-72 overflow-auto rounded-md border border-line bg-bg p-3 font-mono text-xs">{children}</pre>
    </div>
  )
}
