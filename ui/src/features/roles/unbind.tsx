import { useState } from 'react'
import { type RolePartsFragment, RoleUnbindDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Confirm } from '@/kit/confirm'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { placeName, roleName } from './words'

type Binding = Pick<RolePartsFragment, 'id' | 'role' | 'location' | 'user' | 'scope'> & { identityProvider?: { name: string } | null }

export function UnbindRole({ binding: b, onClose }: { binding: Binding; onClose: () => void }) {
  const viewer = useViewer()
  const unbind = useMutate(RoleUnbindDocument)
  const [error, setError] = useState<string>()
  const place = placeName(b.scope, b.location, viewer.account.name)
  const withdraw = async () => {
    const payload = await unbind.run({ input: { roleBindingId: b.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is no longer {{role}} of {{place}}', { name: b.user.name, role: roleName[b.role], place }))
    onClose()
  }
  return (
    <Confirm title={t('Withdraw a role of {{name}}?', { name: b.user.name })} description={`${roleName[b.role]} · ${place}`} action={t('Withdraw role')} keep={t('Keep it')} busy={unbind.busy} fault={unbind.fault} error={error} onConfirm={withdraw} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('It holds within a second, in open pages too.')}</li>
        <li>{t('Seats, keys and budgets stay as they are.')}</li>
        {b.identityProvider && <li>{t('A group of {{provider}} gave it: while they are in the group, their next sign-in gives it again.', { provider: b.identityProvider.name })}</li>}
        {b.user.id === viewer.user?.id && <li className="font-medium text-bad">{t('This is your own role: you may lose sight of this page.')}</li>}
      </ul>
    </Confirm>
  )
}
