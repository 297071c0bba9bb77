import { useState } from 'react'
import { UserDeactivateDocument, UserReactivateDocument, type UserStatus } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

export function StatusBadge({ status }: { status: UserStatus }) {
  return <Badge tone={status === 'ACTIVE' ? 'ok' : 'plain'}>{status === 'ACTIVE' ? t('Active') : t('Deactivated')}</Badge>
}

type Person = { id: string; name: string; status: UserStatus }

/** Refuses a person, or lets them in again. */
export function StatusSwitch({ user }: { user: Person }) {
  const reactivate = useMutate(UserReactivateDocument)
  const [asking, setAsking] = useState(false)
  const letIn = async () => {
    const payload = await reactivate.run({ input: { userId: user.id } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? t('{{name}} can sign in again', { name: user.name }))
  }
  return (
    <>
      {user.status === 'ACTIVE' ? (
        <Button size="sm" className="text-bad" onClick={() => setAsking(true)}>
          {t('Deactivate')}
        </Button>
      ) : (
        <Button size="sm" busy={reactivate.busy} onClick={letIn}>
          {t('Reactivate')}
        </Button>
      )}
      {reactivate.fault && <ErrorBar fault={reactivate.fault} />}
      {asking && <Deactivate user={user} onClose={() => setAsking(false)} />}
    </>
  )
}

function Deactivate({ user, onClose }: { user: Person; onClose: () => void }) {
  const deactivate = useMutate(UserDeactivateDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await deactivate.run({ input: { userId: user.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deactivated', { name: user.name }))
    onClose()
  }
  return (
    <Confirm title={t('Deactivate {{name}}?', { name: user.name })} action={t('Deactivate')} keep={t('Keep active')} busy={deactivate.busy} fault={deactivate.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Within a second their sessions, tokens and keys are refused and streams end, in Console and Copilot.')}</li>
        <li>{t('Seats, roles, budgets and what they spent stay.')}</li>
        <li>{t('You can reactivate them at any time.')}</li>
      </ul>
    </Confirm>
  )
}
