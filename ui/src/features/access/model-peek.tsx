import { Plus, ShieldQuestionMark, Users } from 'lucide-react'
import { useState } from 'react'
import { ModelGrantsDocument, ModelPeekDocument, type ModelPeekQuery, ModelUsersDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Button } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Id } from '@/kit/facts'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { GrantDialog } from './grant-dialog'
import { GrantList } from './grant-list'

type Part = 'access' | 'users'

type Props = { id: string; plane: Plane; onClose: () => void }

/** Who may use a model: what was granted where, and the people it comes down to. */
export function ModelPeek({ id, plane, onClose }: Props) {
  const { data, loading, fault, retry } = useRead(ModelPeekDocument, { id })
  const [part, setPart] = useState<Part>('access')
  const model = data?.node && 'contextLength' in data.node ? data.node : undefined
  return (
    <Sheet open onClose={onClose} className="max-w-lg" title={model?.name ?? t('Model')} description={model && t('Who may use it in {{plane}}', { plane: nameOf(plane) })}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !model && !fault && <p className="py-8 text-center text-muted">{t("This model doesn't exist (any more), or you may not see it.")}</p>}
      {model && (
        <div className="flex flex-col gap-4">
          {model.status === 'DISABLED' && (
            <Notice tone="warn" title={t('Switched off')}>
              {t('Nobody can call it, whatever is granted.')}
            </Notice>
          )}
          <Tabs<Part>
            label={t('Parts of {{name}}', { name: model.name })}
            value={part}
            onChange={setPart}
            tabs={[
              { value: 'access', label: t('Access'), content: <ModelGrants model={model} plane={plane} /> },
              { value: 'users', label: t('Who can use it'), content: <ModelUsers modelId={model.id} /> },
            ]}
          />
          <Id id={model.id} />
        </div>
      )}
    </Sheet>
  )
}

function ModelGrants({ model, plane }: { model: Extract<NonNullable<ModelPeekQuery['node']>, { contextLength: number }>; plane: Plane }) {
  const { rows, total, data, loading, fetching, fault, retry, more } = usePages(ModelGrantsDocument, { id: model.id }, (d) => (d.node && 'grants' in d.node ? d.node.grants : undefined))
  const [adding, setAdding] = useState(false)
  const add = may(model, 'grant.set') && (
    <Button size="sm" variant="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden /> {t('Allow or deny')}
    </Button>
  )
  return (
    <div className="flex flex-col gap-3">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={3} height="h-14" />}
      {rows.length > 0 && (
        <>
          <div className="flex items-center justify-between gap-3">
            <p className="text-muted">{t('A denial is never lifted from below.')}</p>
            {add}
          </div>
          <div className="rounded-lg border border-line">
            <GrantList plane={plane} grants={rows} />
            <TableFoot more={more} busy={fetching}>
              {t('{{count}} grants', { count: total ?? rows.length })}
            </TableFoot>
          </div>
        </>
      )}
      {data && rows.length === 0 && !fault && (
        <Empty icon={<ShieldQuestionMark aria-hidden />} title={t('Nobody may use it yet')} action={add}>
          {t('Nothing granted means nothing allowed: allow it to {{plane}}, an organization, a team or a user.', { plane: nameOf(plane) })}
        </Empty>
      )}
      {adding && <GrantDialog plane={plane} resource={model} onClose={() => setAdding(false)} />}
    </div>
  )
}

function ModelUsers({ modelId }: { modelId: string }) {
  const [text, setText] = useState('')
  const search = useDebounced(text)
  const { rows, total, data, loading, fetching, fault, retry, more } = usePages(ModelUsersDocument, { id: modelId, search: search || undefined }, (d) => (d.node && 'usableBy' in d.node ? d.node.usableBy : undefined))
  return (
    <div className="flex flex-col gap-3">
      <Filter value={text} onChange={setText} label={t('Search names and e-mails')} className="sm:w-full" />
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={5} />}
      {rows.length > 0 && (
        <div className="rounded-lg border border-line">
          <ul>
            {rows.map((m) => (
              <li key={m.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
                <Avatar name={m.name} />
                <span className="min-w-0 grow">
                  <span className="block truncate font-medium">{m.name}</span>
                  <span className="block truncate text-xs text-muted">{m.user.email}</span>
                </span>
                <span className="max-w-[45%] truncate text-xs text-muted">{m.location}</span>
              </li>
            ))}
          </ul>
          <TableFoot more={more} busy={fetching}>
            {search ? t('{{count}} found', { count: total ?? rows.length }) : t('{{count}} users can use it', { count: total ?? rows.length })}
          </TableFoot>
        </div>
      )}
      {data && rows.length === 0 && !fault && (
        <Empty icon={<Users aria-hidden />} title={search ? t('Nobody matches') : t('Nobody can use it')}>
          {search ? t('The search looks into names and e-mail addresses of those who can use it.') : t('No seat within your reach has it.')}
        </Empty>
      )}
    </div>
  )
}
