import { Ban, CircleCheck, Pencil, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { type GrantPartsFragment, GrantRemoveDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { toast } from '@/kit/toast'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { placeName } from '@/features/roles'
import { GrantDialog } from './grant-dialog'

export function EffectBadge({ effect }: { effect: GrantPartsFragment['effect'] }) {
  const Icon = effect === 'ALLOW' ? CircleCheck : Ban
  return (
    <Badge tone={effect === 'ALLOW' ? 'ok' : 'bad'} className="[&_svg]:size-3.5">
      <Icon aria-hidden /> {effect === 'ALLOW' ? t('Allowed') : t('Denied')}
    </Badge>
  )
}

type Props = { plane: Plane; grants: readonly GrantPartsFragment[]; /** Says of each which model it is about. */ models?: boolean }

/** What was allowed and denied, where, by whom, and until when. */
export function GrantList({ plane, grants, models }: Props) {
  const account = useViewer().account.name
  const [now] = useState(() => new Date())
  const [changing, setChanging] = useState<GrantPartsFragment>()
  const [removing, setRemoving] = useState<GrantPartsFragment>()
  return (
    <>
      <ul>
        {grants.map((g) => {
          const place = placeName(g.scope, g.location, account)
          const expired = g.expiresAt && new Date(g.expiresAt) <= now
          const mine = g.viewerCan.find((p) => p.action === 'grant.set')
          return (
            <li key={g.id} className="flex items-start gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
              <span className="w-22 shrink-0 pt-px">
                <EffectBadge effect={g.effect} />
              </span>
              <div className="min-w-0 grow">
                <p className="break-words">
                  {models && <span className="font-medium">{g.resource.name}</span>} {models ? <span className="text-muted">{t('in {{place}}', { place })}</span> : <span className="font-medium">{place}</span>}
                </p>
                {g.note && <p className="break-words">{g.note}</p>}
                <p className="text-xs text-muted">
                  <span title={utc(g.createdAt)}>{t('{{name}}, {{when}}', { name: g.grantedByName, when: ago(g.createdAt) })}</span>
                  {g.expiresAt && <span title={utc(g.expiresAt)}> · {expired ? t('ended {{when}}', { when: dateTime(g.expiresAt) }) : t('until {{when}}', { when: dateTime(g.expiresAt) })}</span>}
                </p>
                {!g.stands && !expired && <p className="text-xs text-warn">{t('Counts for nothing: whoever set it no longer has the model to give, or the place.')}</p>}
              </div>
              {!g.stands && <Badge tone="warn">{expired ? t('Ended') : t('Void')}</Badge>}
              {may(g, 'grant.set') ? (
                <span className="flex shrink-0">
                  <Button variant="ghost" size="icon" aria-label={t('Change the grant of {{model}} in {{place}}', { model: g.resource.name, place })} onClick={() => setChanging(g)}>
                    <Pencil aria-hidden />
                  </Button>
                  <Button variant="ghost" size="icon" aria-label={t('Withdraw the grant of {{model}} in {{place}}', { model: g.resource.name, place })} onClick={() => setRemoving(g)}>
                    <Trash2 aria-hidden />
                  </Button>
                </span>
              ) : (
                mine?.reason && (
                  <span className="max-w-44 shrink-0 text-end text-xs text-muted max-sm:sr-only" title={mine.reason}>
                    {mine.reason}
                  </span>
                )
              )}
            </li>
          )
        })}
      </ul>
      {changing && <GrantDialog plane={plane} grant={changing} onClose={() => setChanging(undefined)} />}
      {removing && <RemoveGrant grant={removing} onClose={() => setRemoving(undefined)} />}
    </>
  )
}

function RemoveGrant({ grant, onClose }: { grant: GrantPartsFragment; onClose: () => void }) {
  const account = useViewer().account.name
  const remove = useMutate(GrantRemoveDocument)
  const [error, setError] = useState<string>()
  const place = placeName(grant.scope, grant.location, account)
  const run = async () => {
    const payload = await remove.run({ input: { grantId: grant.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The grant of {{model}} in {{place}} is withdrawn', { model: grant.resource.name, place }))
    onClose()
  }
  return (
    <Confirm title={grant.effect === 'ALLOW' ? t('No longer allow {{model}}?', { model: grant.resource.name }) : t('No longer deny {{model}}?', { model: grant.resource.name })} description={place} action={t('Withdraw grant')} keep={t('Keep it')} danger={grant.effect === 'ALLOW'} busy={remove.busy} fault={remove.fault} error={error} onConfirm={run} onClose={onClose}>
      <p>
        {grant.effect === 'ALLOW'
          ? t('Everybody there and below loses the model within a second, unless another grant on their way allows it. Running calls come to their end.')
          : t('Whoever there and below is allowed to use the model by another grant can do so again within a second.')}
      </p>
    </Confirm>
  )
}
