import { Plus, ShieldQuestionMark } from 'lucide-react'
import { useState } from 'react'
import { ResourceGrantsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Button } from '@/kit/button'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { useWithin } from '@/features/roles'
import { usePlaces } from './choices'
import { GrantDialog } from './grant-dialog'
import { GrantList } from './grant-list'

/** What was granted of one thing, and where; `note` says what else decides. */
export function ResourceGrants({ plane, resource, note }: { plane: Plane; resource: { id: string; name: string }; note?: string }) {
  const { places } = usePlaces(plane, true)
  const scopeId = places.find((p) => p.kind === plane)?.id ?? places[0]?.id
  const { allowed } = useWithin('grant.set', plane)
  const [adding, setAdding] = useState(false)
  const { rows, total, data, loading, fetching, fault, retry, more } = usePages(ResourceGrantsDocument, { scopeId: scopeId ?? '', resourceId: resource.id }, (d) => d.access?.grants, !scopeId)
  const add = allowed && (
    <Button size="sm" variant="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden /> {t('Allow or deny')}
    </Button>
  )
  return (
    <div>
      {fault && (
        <div className="p-3">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonRows rows={3} height="h-14" />}
      {rows.length > 0 && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-3 border-b border-line px-4 py-3">
            <p className="min-w-0 grow basis-48 text-muted">{note ?? t('A denial is never lifted from below.')}</p>
            {add}
          </div>
          <GrantList plane={plane} grants={rows} />
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} grants', { count: total ?? rows.length })}
          </TableFoot>
        </>
      )}
      {data && rows.length === 0 && !fault && (
        <Empty icon={<ShieldQuestionMark aria-hidden />} title={t('Nothing is granted of it')} action={add}>
          {note ?? t('Nothing granted means nothing allowed: allow it to {{plane}}, an organization, a team or a user.', { plane: nameOf(plane) })}
        </Empty>
      )}
      {adding && <GrantDialog plane={plane} resource={resource} onClose={() => setAdding(false)} />}
    </div>
  )
}
