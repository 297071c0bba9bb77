import { useState } from 'react'
import { type RequestPartsFragment, RequestWithdrawDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

/** Takes one's own request back; nothing for those of others. */
export function Withdraw({ request: r }: { request: RequestPartsFragment }) {
  const withdraw = useMutate(RequestWithdrawDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await withdraw.run({ input: { requestId: r.id } })
    if (payload?.errors[0]) return setError(payload.errors[0].message)
    if (payload) toast(t('The request is withdrawn'))
  }
  return (
    <>
      {may(r, 'request.withdraw') && (
        <Button size="sm" variant="ghost" className="-ms-2.5 self-start" busy={withdraw.busy} onClick={run}>
          {t('Withdraw')}
        </Button>
      )}
      {(error || withdraw.fault) && (
        <p role="alert" className="text-sm text-bad">
          {error ?? withdraw.fault?.message}
        </p>
      )}
    </>
  )
}
