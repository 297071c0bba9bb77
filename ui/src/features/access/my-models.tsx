import { CircleQuestionMark } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { AccessResourcesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'

const WhyDialog = lazy(() => import('./why-dialog'))

type Resource = { id: string; name: string }

type Props = { seat: { id: string; name: string }; plane: Plane; /** Asks for one that may not be used. */ onRequest?: (model: Resource) => void }

/** What the reader's own seat may call; the rest with its reasons. */
export function MyModels({ seat, plane, onRequest }: Props) {
  const [asking, setAsking] = useState<string>()
  return (
    <Card>
      <CardHead title={t('Models I can use in {{plane}}', { plane: nameOf(plane) })} note={t('By the seat that pays when a call names none.')} />
      <List seatId={seat.id} allowed onAsk={setAsking} none={t('None yet: nothing granted means nothing allowed.')} />
      <details className="group border-t border-line">
        <summary className="flex min-h-10 cursor-pointer list-none items-center gap-2 px-4 text-sm font-medium text-accent-text hover:bg-hover/60">
          <CircleQuestionMark aria-hidden className="size-4" /> {t("Why can't I use a model?")}
        </summary>
        <List seatId={seat.id} allowed={false} onAsk={setAsking} onRequest={onRequest} none={t('You can use every model of {{plane}}.', { plane: nameOf(plane) })} />
      </details>
      {asking && (
        <Suspense>
          <WhyDialog plane={plane} question={{ scope: seat.id, resource: asking }} onClose={() => setAsking(undefined)} />
        </Suspense>
      )}
    </Card>
  )
}

type ListProps = { seatId: string; allowed: boolean; none: string; onAsk: (modelId: string) => void; onRequest?: (model: Resource) => void }

function List({ seatId, allowed, none, onAsk, onRequest }: ListProps) {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(AccessResourcesDocument, { scopeId: seatId, kind: 'MODEL', allowed }, (d) => d.access?.resources)
  return (
    <div className="border-t border-line">
      {fault && (
        <div className="p-3">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonRows rows={2} />}
      {data && rows.length === 0 && !fault && <p className="px-4 py-3 text-muted">{none}</p>}
      <ul>
        {rows.map(({ resource: model, reason }) => (
          <li key={model.id} className="flex items-center gap-3 border-b border-line py-2 ps-4 pe-2 last:border-b-0">
            <span className="min-w-0 grow">
              <span className="block font-medium break-all">{model.name}</span>
              <span className="block text-xs text-muted">{reason}</span>
            </span>
            {onRequest && (
              <Button size="sm" onClick={() => onRequest(model)} aria-label={t('Ask for {{model}}', { model: model.name })}>
                {t('Ask for access')}
              </Button>
            )}
            <Button variant="ghost" size="sm" onClick={() => onAsk(model.id)} aria-label={allowed ? t('Why can I use {{model}}?', { model: model.name }) : t("Why can't I use {{model}}?", { model: model.name })}>
              {t('Why?')}
            </Button>
          </li>
        ))}
      </ul>
      <TableFoot more={more} busy={fetching} />
    </div>
  )
}
