import { ReceiptDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Badge } from '@/kit/badge'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { count, dateTime, exact, fromNano, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Classes } from './classes'
import { kinds } from './kinds'
import { Payers } from './payers'

const factorOf = (ppm: number) => exact(fromNano(String(ppm * 1000)), 'CREDITS')

const when = (at: string) => <time title={utc(at)}>{dateTime(at)}</time>

/** One call as the ledger has it: what it used, at which price, and every line of it. */
export function Receipt({ id, onClose, onLine }: { id: string; onClose: () => void; onLine: (id: string) => void }) {
  const { data, loading, fault, retry } = useRead(ReceiptDocument, { id })
  const c = data?.node && 'lines' in data.node && data.node.id === id ? data.node : null
  return (
    <Sheet open onClose={onClose} title={t('Receipt')} description={c ? `${c.modelName} · ${dateTime(c.at)}` : undefined} className="max-w-xl">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {(loading || (data?.node && !c)) && <SkeletonRows rows={8} />}
      {data && !data.node && <Empty title={t('There is no such receipt')} />}
      {c && (
        <div className="flex flex-col gap-6">
          <div className="flex items-baseline justify-between gap-4">
            <p className="num text-2xl font-semibold tracking-tight">{c.unit === 'USD' ? exact(c.amount, c.unit) : t('{{amount}} credits', { amount: exact(c.amount, c.unit) })}</p>
            <Badge tone={kinds[c.kind].tone}>{kinds[c.kind].label}</Badge>
          </div>
          <Facts
            facts={[
              [t('Request'), <Id key="r" id={c.requestId} />],
              [t('Ledger line'), <Id key="i" id={c.id} />],
              !!c.adjustsId && [t('Belongs to'), <Id key="a" id={c.adjustsId} />],
              [t('Paid by'), [c.memberName, c.location].filter(Boolean).join(' · ')],
              !!c.userName && [t('Person'), c.userName],
              !!c.keyName && [t('Key'), c.keyName],
              !!c.agentName && [t('Agent'), c.agentName],
              !!c.clientName && [t('Program'), c.clientName],
              c.tags.length > 0 && [
                t('Tags'),
                <span key="t" className="flex flex-wrap gap-1">
                  {c.tags.map((tag) => (
                    <Badge key={tag}>{tag}</Badge>
                  ))}
                </span>,
              ],
              !!c.session && [t('Session'), <code key="s" className="font-mono text-xs">{c.session}</code>],
              [t('Held'), <span key="h">{exact(c.held, c.unit)} · {when(c.heldAt)}</span>],
              [t('Settled'), when(c.at)],
              [t('Duration'), t('{{ms}} ms, first byte after {{first}} ms', { ms: count(c.latencyMs), first: count(c.firstByteMs) })],
              [t('Price version'), c.price ? <span key="p"><Id id={c.price.id} /><span className="text-xs text-muted">{t('in force since {{when}}', { when: dateTime(c.price.effectiveFrom) })}</span></span> : c.priceId ? <Id key="p" id={c.priceId} /> : t('Ceiling per call')],
              c.unit === 'CREDITS' && [
                t('Factor version'),
                <span key="f">
                  {c.factor && <Id id={c.factor.id} />}
                  <span className={c.factor ? 'text-xs text-muted' : undefined}>
                    {c.factor
                      ? t('{{factor}} credits per $, in force since {{when}}', { factor: factorOf(c.factorPpm), when: dateTime(c.factor.effectiveFrom) })
                      : t('{{factor}} credits per $, the default', { factor: factorOf(c.factorPpm) })}
                  </span>
                </span>,
              ],
            ]}
          />
          <section>
            <h3 className="mb-1 font-semibold">{t('By class of tokens')}</h3>
            <Classes rows={c.classes} unit={c.unit} priced />
          </section>
          <section>
            <h3 className="mb-1 font-semibold">{t('Paid by these budgets')}</h3>
            <p className="mb-2 text-muted">{c.budgets.length > 0 ? t('Each budget on the path holds, and pays, the whole call; amounts of different levels are never added up.') : t('No budget stood on its path, or it was removed since.')}</p>
            {c.budgets.length > 0 && <Payers budgets={c.budgets} overflow={c.overflow} unit={c.unit} />}
          </section>
          <section>
            <h3 className="mb-2 font-semibold">{t('Lines of this call')}</h3>
            <ul className="flex flex-col gap-1">
              {c.lines.map((l) => (
                <li key={l.id} className="flex items-center justify-between gap-3 rounded-md bg-hover/60 px-3 py-2">
                  <button type="button" disabled={l.id === c.id} onClick={() => onLine(l.id)} className="rounded-sm text-start enabled:hover:underline disabled:font-medium">
                    {kinds[l.kind].label} <span className="text-xs text-muted">{dateTime(l.at)}</span>
                  </button>
                  <span className="num">{exact(l.amount, c.unit)}</span>
                </li>
              ))}
            </ul>
          </section>
        </div>
      )}
    </Sheet>
  )
}
