import { AccountDispatchSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Card, CardHead } from '@/kit/card'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import type { AccountOf } from './account'

/** Whether calls wait for the database before they go out. */
export function Dispatch({ account: a }: { account: AccountOf }) {
  const set = useMutate(AccountDispatchSetDocument)
  const strict = a.strictDispatch === true
  const change = async (on: boolean) => {
    const payload = await set.run({ input: { accountId: a.id, strict: on } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? (on ? t('Calls of {{name}} wait for the database now', { name: a.name }) : t('Calls of {{name}} go out from the journal again', { name: a.name })))
  }
  return (
    <Card>
      <CardHead title={t('Strict dispatch')}>
        {may(a, 'account.dispatch') && a.status !== 'CLOSED' ? (
          <Switch label={t('Strict dispatch for {{name}}', { name: a.name })} checked={strict} disabled={set.busy} onChange={change} />
        ) : (
          <Badge>{strict ? t('On') : t('Off')}</Badge>
        )}
      </CardHead>
      <p className="px-4 pb-4 text-muted">{t('Calls go out only once the database has what they hold: a few milliseconds more each, and a server lost with its disk takes no charge with it.')}</p>
      {set.fault && (
        <div className="px-4 pb-4">
          <ErrorBar fault={set.fault} />
        </div>
      )}
    </Card>
  )
}
