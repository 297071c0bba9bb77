import { ReceiptText } from 'lucide-react'
import { type ReceiptLinePartsFragment, ReceiptsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { useDebounced } from '@/lib/debounce'
import { count, dateTime, exact, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane, unitOf } from '@/lib/plane'
import { kinds } from './kinds'
import { type Search, useFilter, useZone } from './params'
import { Receipt } from './receipt'

type Props = { plane: Plane; url: Partial<Search>; setUrl: (patch: Partial<Search>) => void; /** Of one's own, and of nobody else. */ seat?: string }

/** The lines of the ledger, newest first; a request id finds those of one call in any time. */
export function Receipts({ plane, url, setUrl, seat }: Props) {
  const request = useDebounced(url.q ?? '').trim()
  const days = useFilter(url, useZone())
  const unit = unitOf(plane)
  const { rows, more, fetching, loading, fault, retry } = usePages(
    ReceiptsDocument,
    request ? { ...ask(plane), requestId: request, scopeId: seat } : { ...ask(plane), scopeId: url.scope ?? seat, modelId: url.model, userId: url.user, keyId: url.key, tag: url.tag, agentId: url.agent, clientId: url.client, from: days.from, to: days.to },
    (d) => pick(d)?.charges,
  )
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line p-3">
          <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Request id')} className="sm:w-96" />
        </div>
        {loading && <SkeletonRows rows={8} />}
        {!loading && rows.length === 0 && (
          <Empty icon={<ReceiptText aria-hidden />} title={request ? t('No call has this request id') : t('No calls in these days')}>
            {request ? t('Give the whole id: every answer carries it as X-Request-Id.') : t('Choose other days, or make a call with a virtual key.')}
          </Empty>
        )}
        {rows.length > 0 && <Lines rows={rows} unit={unit} onOpen={(peek) => setUrl({ peek })} />}
        <TableFoot more={more} busy={fetching} />
      </Card>
      {url.peek && <Receipt id={url.peek} onClose={() => setUrl({ peek: undefined })} onLine={(peek) => setUrl({ peek })} />}
    </>
  )
}

function Lines({ rows, unit, onOpen }: { rows: readonly ReceiptLinePartsFragment[]; unit: Unit; onOpen: (id: string) => void }) {
  return (
    <Table label={t('Receipts')}>
      <Head>
        <Th>{t('When')}</Th>
        <Th wide>{t('Model')}</Th>
        <Th wide>{t('Who')}</Th>
        <Th wide className="text-end">
          {t('Tokens in')}
        </Th>
        <Th wide className="text-end">
          {t('Tokens out')}
        </Th>
        <Th className="text-end">{unit === 'USD' ? t('Cost') : t('Credits')}</Th>
        <Th wide>{t('Kind')}</Th>
      </Head>
      <tbody>
        {rows.map((c) => (
          <tr key={c.id} className={rowClass}>
            <Td className="whitespace-nowrap">
              <button type="button" data-row-link onClick={() => onOpen(c.id)} className="rounded-sm text-start font-medium hover:underline" title={utc(c.at)}>
                {dateTime(c.at)}
              </button>
              <span className="block max-w-44 truncate text-xs text-muted md:hidden">{c.modelName}</span>
            </Td>
            <Td wide className="max-w-40 truncate">
              {c.modelName}
            </Td>
            <Td wide>
              <span className="block max-w-52 truncate">{[c.memberName, c.keyName].filter(Boolean).join(' · ') || t('Without one')}</span>
              <span className="block max-w-52 truncate text-xs text-muted">{c.location}</span>
            </Td>
            <Td wide className="num text-end text-muted">
              {count(c.inputTokens + c.cachedInputTokens + c.cacheWriteTokens)}
            </Td>
            <Td wide className="num text-end text-muted">
              {count(c.outputTokens + c.reasoningTokens)}
            </Td>
            <Td className="num text-end">{exact(c.amount, unit)}</Td>
            <Td wide>{c.kind !== 'SETTLED' && <Badge tone={kinds[c.kind].tone}>{kinds[c.kind].label}</Badge>}</Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
