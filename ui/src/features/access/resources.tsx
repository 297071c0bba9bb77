import { CircleQuestionMark, Pencil, Server } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { AccessResourcesDocument, type GrantPartsFragment, type ResourceKind } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { GrantDialog } from './grant-dialog'
import { kindsOf, kindWords } from './kinds'
import { type Stand, useGrant } from './use-grant'

const WhyDialog = lazy(() => import('./why-dialog'))

type Show = 'all' | 'allowed' | 'refused'

const shows: readonly { value: Show; label: string }[] = [
  { value: 'all', label: t('All') },
  { value: 'allowed', label: t('Allowed') },
  { value: 'refused', label: t('Not allowed') },
]

type Props = {
  scopeId: string
  plane: Plane
  /** Whose seat it is: explanations are then about them. */
  userId?: string
  /** Only tells, changes nothing. */
  readOnly?: boolean
  show?: Show
}


/** What a scope may use and why, as it is enforced; with the switch for those who may set it. */
export function AccessResources({ scopeId, plane, userId, readOnly, show: first = 'all' }: Props) {
  const [show, setShow] = useState(first)
  const [kind, setKind] = useState<ResourceKind>('MODEL')
  const kinds = kindsOf(plane)
  const words = kindWords[kind]
  const { data, rows, loading, fetching, fault, retry, more } = usePages(AccessResourcesDocument, { scopeId, kind, allowed: show === 'all' ? undefined : show === 'allowed' }, (d) => d.access?.resources)
  const { put, refusal, fault: refused } = useGrant(scopeId)
  const [editing, setEditing] = useState<{ model: { id: string; name: string }; grant?: GrantPartsFragment }>()
  const [asking, setAsking] = useState<string>()
  const scope = data?.access?.scope
  const mayGrant = !readOnly && may(scope, 'grant.set')
  const here = new Map((data?.access?.grants.edges ?? []).map(({ node }) => [node.resource.id, node]))
  const root = scope?.kind === 'CONSOLE' || scope?.kind === 'COPILOT'

  const change = async (model: { id: string; name: string }, stand: Stand) => {
    const undo = await put(model.id, stand, here.get(model.id))
    if (!undo || !scope) return
    const names = { model: model.name, place: scope.name }
    toast({ ALLOW: t('{{model}} is allowed in {{place}}', names), DENY: t('{{model}} is denied in {{place}}', names), NONE: t('For {{model}}, {{place}} goes by what is above it', names) }[stand], undo)
  }

  const failed = fault ?? refused
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        {kinds.length > 1 && <Segments<ResourceKind> label={t('What is granted')} value={kind} onChange={setKind} options={kinds.map((value) => ({ value, label: kindWords[value].many }))} />}
        <Segments<Show> label={t('Show')} value={show} onChange={setShow} options={shows} />
      </div>
      {failed && <ErrorBar fault={failed} retry={fault && retry} />}
      {refusal && <ErrorBar fault={{ code: 'REFUSED', message: refusal }} />}
      {loading && <SkeletonRows rows={4} />}
      {data && !data.access && !fault && <Empty title={t("It doesn't exist (any more), or you may not see it.")} />}
      {data?.access && rows.length === 0 && (
        <Empty icon={<Server aria-hidden />} title={show === 'refused' ? t('All may be used') : show === 'allowed' ? t('None may be used') : words.none}>
          {show === 'allowed' && t('Nothing granted means nothing allowed: allow it here or above.')}
        </Empty>
      )}
      {rows.length > 0 && (
        <ul className="rounded-lg border border-line">
          {rows.map(({ resource: model, allowed, reason }) => {
            const own = here.get(model.id)
            const settable = mayGrant && (!own || may(own, 'grant.set'))
            return (
              <li key={model.id} className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-3 py-2 last:border-b-0">
                <div className="min-w-40 grow basis-52">
                  <p className="flex flex-wrap items-center gap-2">
                    <span className="font-medium break-all">{model.name}</span>
                    <Badge tone={allowed ? 'ok' : 'plain'} dot={allowed}>
                      {allowed ? t('Allowed') : t('Not allowed')}
                    </Badge>
                  </p>
                  <p className="text-xs text-muted">
                    {reason}
                    {own?.expiresAt && ` ${t('Set here until {{when}}.', { when: dateTime(own.expiresAt) })}`}
                  </p>
                </div>
                <div className="flex items-center gap-1">
                  {settable && (
                    <>
                      <Segments<Stand>
                        label={t('{{model}} here', { model: model.name })}
                        value={own?.effect ?? 'NONE'}
                        onChange={(stand) => void change(model, stand)}
                        options={[
                          { value: 'NONE', label: root ? t('Not set') : t('As above') },
                          { value: 'ALLOW', label: t('Allow') },
                          { value: 'DENY', label: t('Deny') },
                        ]}
                      />
                      <Button variant="ghost" size="icon" aria-label={t('Expiry and note of {{model}} here', { model: model.name })} onClick={() => setEditing({ model, grant: own })}>
                        <Pencil aria-hidden />
                      </Button>
                    </>
                  )}
                  <Button variant="ghost" size="icon" data-row-link aria-label={t('Why? {{model}}', { model: model.name })} onClick={() => setAsking(model.id)}>
                    <CircleQuestionMark aria-hidden />
                  </Button>
                </div>
              </li>
            )
          })}
          {more && <TableFoot more={more} busy={fetching} />}
        </ul>
      )}
      {editing && scope && <GrantDialog plane={plane} grant={editing.grant} resource={editing.model} scope={{ value: scope.id, label: scope.name }} onClose={() => setEditing(undefined)} />}
      {asking && (
        <Suspense>
          <WhyDialog plane={plane} question={{ scope: scopeId, resource: asking, user: userId }} onClose={() => setAsking(undefined)} />
        </Suspense>
      )}
    </div>
  )
}
