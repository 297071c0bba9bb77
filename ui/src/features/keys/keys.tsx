import { Plus } from 'lucide-react'
import { useState } from 'react'
import { type KeyPartsFragment, KeysDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { useKeys as useShortcuts } from '@/lib/keys'
import { ask, nameOf, pick, type Plane, unitOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { CreateKey } from './create'
import { KeyPeek } from './peek'
import { RevokeKey } from './revoke'
import { KeyTable } from './table'
import { WhyNot } from '@/features/access'
import { useWithin } from '@/features/roles'

export function KeysPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ peek: string; q: string; new: string }>()
  const { allowed, node } = useWithin('key.create', plane)
  return (
    <>
      <PageHead title={t('Virtual keys')} note={t('Programs call models with them; each is bound to an owner, models and limits in {{plane}}.', { plane: nameOf(plane) })}>
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter by name or owner')} />
        {!allowed && <WhyNot plane={plane} node={node} action="key.create" />}
        {allowed && (
          <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'key' })}>
            <Plus aria-hidden /> {t('New key')}
          </Button>
        )}
      </PageHead>
      <KeyList plane={plane} mayCreate={allowed} needle={url.q} peek={url.peek} onPeek={(peek) => setUrl({ peek })} creating={url.new === 'key'} onCreate={(on) => setUrl({ new: on ? 'key' : undefined })} />
    </>
  )
}

type ListProps = {
  plane: Plane
  /** Only keys of this owner; new ones are theirs. */
  ownerId?: string
  needle?: string
  peek?: string
  onPeek: (id: string | undefined) => void
  mayCreate: boolean
  creating: boolean
  onCreate: (on: boolean) => void
}

export function KeyList({ plane, ownerId, needle = '', peek, onPeek, mayCreate, creating, onCreate }: ListProps) {
  const [after, setAfter] = useState<string>()
  const [earlier, setEarlier] = useState<readonly KeyPartsFragment[]>([])
  const { data, loading, fetching, fault, retry } = useRead(KeysDocument, { ...ask(plane), ownerId, after })
  const [revoking, setRevoking] = useState<KeyPartsFragment>()
  const list = pick(data)?.keys
  const page = list?.edges.map((e) => e.node) ?? []
  const all = [...earlier.filter((k) => page.every((p) => p.id !== k.id)), ...page]
  const keys = all.filter((k) => `${k.name} ${k.owner.name} ${k.location} ${k.prefix}`.toLowerCase().includes(needle.toLowerCase()))
  const open = all.find((k) => k.id === peek)

  useShortcuts({
    c: () => mayCreate && onCreate(true),
  })
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading ? (
          <SkeletonRows height="h-15" />
        ) : (
          list && (
            <KeyTable
              unit={unitOf(plane)}
              keys={keys}
              filtered={needle !== ''}
              onOpen={onPeek}
              onRevoke={setRevoking}
              create={
                mayCreate && (
                  <Button variant="primary" onClick={() => onCreate(true)}>
                    {t('New key')}
                  </Button>
                )
              }
            />
          )
        )}
        {list?.pageInfo.hasNextPage && (
          <div className="border-t border-line p-2 text-center">
            <Button
              variant="ghost"
              size="sm"
              busy={fetching}
              onClick={() => {
                setEarlier(all)
                setAfter(list.pageInfo.endCursor ?? undefined)
              }}
            >
              {t('Show more')}
            </Button>
          </div>
        )}
      </Card>
      {creating && mayCreate && <CreateKey plane={plane} ownerId={ownerId} onClose={() => onCreate(false)} />}
      {revoking && <RevokeKey apiKey={revoking} plane={plane} onClose={() => setRevoking(undefined)} />}
      {open && <KeyPeek key={open.id} apiKey={open} onClose={() => onPeek(undefined)} />}
    </>
  )
}
