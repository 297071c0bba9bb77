import { Plus, ShieldCheck, X } from 'lucide-react'
import { useState } from 'react'
import { type RolePartsFragment, RolesDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may, readsAccount, useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { BindRole } from './bind'
import { UnbindRole } from './unbind'
import { placeName, roleName } from './words'

type Props = { scope: { id: string; kind: ScopeKind; name: string } }

/** Who is admin or auditor of one node; roles from above reach it, too, and stand there. */
export function RoleList({ scope }: Props) {
  const viewer = useViewer()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(RolesDocument, { scopeId: scope.id, below: false, whole: readsAccount(viewer) && !viewer.isPlatformStaff }, (d) => d.access?.roleBindings)
  const [binding, setBinding] = useState(false)
  const [unbinding, setUnbinding] = useState<RolePartsFragment>()
  const mayBind = may(data?.access?.scope, 'role.bind')
  const label = placeName(scope, '', viewer.account.name)
  return (
    <div className="flex flex-col gap-3">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={3} />}
      {data?.access && rows.length === 0 && (
        <Empty icon={<ShieldCheck aria-hidden />} title={t('Nobody has a role right here')}>
          {t('Admins and auditors of what is above reach it all the same.')}
        </Empty>
      )}
      {rows.length > 0 && (
        <ul className="rounded-lg border border-line">
          {rows.map((b) => (
            <li key={b.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
              <Avatar name={b.user.name} />
              <span className="min-w-0 grow">
                <span className="block truncate font-medium">{b.user.name}</span>
                <span className="block truncate text-xs text-muted">{b.user.email}</span>
              </span>
              <span className="flex flex-wrap justify-end gap-1">
                {b.user.status !== 'ACTIVE' && <Badge>{t('Deactivated')}</Badge>}
                <Badge tone={b.role === 'ADMIN' ? 'accent' : 'plain'}>{roleName[b.role]}</Badge>
              </span>
              <time className="text-xs whitespace-nowrap text-muted max-sm:hidden" title={utc(b.createdAt)}>
                {day(b.createdAt)}
              </time>
              {may(b, 'role.bind') && (
                <Button variant="ghost" size="icon" onClick={() => setUnbinding(b)} aria-label={t('Withdraw the role of {{name}}', { name: b.user.name })}>
                  <X aria-hidden />
                </Button>
              )}
            </li>
          ))}
          {more && <TableFoot more={more} busy={fetching} />}
        </ul>
      )}
      {mayBind && (
        <Button size="sm" className="self-start" onClick={() => setBinding(true)}>
          <Plus aria-hidden /> {t('Add an admin or auditor')}
        </Button>
      )}
      {binding && <BindRole place={{ value: scope.id, kind: scope.kind, label }} onClose={() => setBinding(false)} />}
      {unbinding && <UnbindRole binding={unbinding} onClose={() => setUnbinding(undefined)} />}
    </div>
  )
}
