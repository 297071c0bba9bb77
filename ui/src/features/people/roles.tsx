import { Plus, X } from 'lucide-react'
import { useState } from 'react'
import type { UserRoleFragment } from '@/graphql/generated/graphql'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { t } from '@/lib/i18n'
import { BindRole, placeName, roleMeans, roleName, UnbindRole, usePlaneOf, useWithin } from '@/features/roles'

/** Roles of one person over the whole account, as far as the viewer sees them. */
export function UserRoles({ user, roles }: { user: { id: string; name: string }; roles: readonly UserRoleFragment[] }) {
  const viewer = useViewer()
  const planeOf = usePlaneOf()
  const mayBind = useWithin('role.bind')
  const [binding, setBinding] = useState(false)
  const [unbinding, setUnbinding] = useState<UserRoleFragment>()
  return (
    <div className="flex flex-col items-start gap-3">
      {roles.length === 0 ? (
        <p className="text-muted">{t('Neither admin nor auditor of anything that you see.')}</p>
      ) : (
        <ul className="w-full rounded-lg border border-line">
          {roles.map((b) => (
            <li key={b.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
              <span className="min-w-0 grow">
                <span className="flex flex-wrap items-center gap-2">
                  <span className="font-medium">{placeName(b.scope, b.location, viewer.account.name, planeOf(b.scope))}</span>
                  <Badge tone={b.role === 'ADMIN' ? 'accent' : 'plain'}>{roleName[b.role]}</Badge>
                </span>
                <span className="block text-xs text-muted">{roleMeans(b.role, b.scope.kind)}</span>
              </span>
              {may(b, 'role.bind') && (
                <Button variant="ghost" size="icon" onClick={() => setUnbinding(b)} aria-label={t('Withdraw {{role}} of {{place}}', { role: roleName[b.role], place: placeName(b.scope, b.location, viewer.account.name, planeOf(b.scope)) })}>
                  <X aria-hidden />
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {mayBind.allowed && (
        <Button size="sm" onClick={() => setBinding(true)}>
          <Plus aria-hidden /> {t('Give a role')}
        </Button>
      )}
      {binding && <BindRole user={user} onClose={() => setBinding(false)} />}
      {unbinding && <UnbindRole binding={unbinding} onClose={() => setUnbinding(undefined)} />}
    </div>
  )
}
