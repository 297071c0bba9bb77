import { ArrowLeftRight } from 'lucide-react'
import { useState } from 'react'
import { useClient } from 'urql'
import { type Fault, toFault } from '@/graphql/fault'
import { SessionSwitchDocument } from '@/graphql/generated/graphql'
import { useViewer, type Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'

type Props = { slug: string; onSwitched: (viewer: Viewer) => void }

/** A pasted link into another account: one goes on there knowingly, or not at all. */
export function SwitchAccount({ slug, onSwitched }: Props) {
  const viewer = useViewer()
  const client = useClient()
  const [fault, setFault] = useState<Fault>()
  const [busy, setBusy] = useState(false)
  const target = viewer.accounts.find((a) => a.slug === slug)

  if (!target) {
    return (
      <Card>
        <Empty page title={t('There is nothing here for you')}>{t("The account in this address doesn't exist, or you aren't one of its users. Ask its admin for an invitation.")}</Empty>
      </Card>
    )
  }
  const go = async () => {
    setBusy(true)
    const result = await client.mutation(SessionSwitchDocument, { input: { accountId: target.id } })
    setBusy(false)
    if (result.error) return setFault(toFault(result.error))
    const { viewer, errors } = result.data!.sessionSwitch
    if (viewer) onSwitched(viewer)
    else setFault({ code: errors[0]?.code ?? 'INTERNAL', message: errors[0]?.message ?? t('The switch was refused.') })
  }
  return (
    <Card>
      <Empty
        page
        icon={<ArrowLeftRight aria-hidden />}
        title={t('This page belongs to {{account}}', { account: target.name })}
        action={
          <Button variant="primary" busy={busy} onClick={go}>
            {t('Go on in {{account}}', { account: target.name })}
          </Button>
        }
      >
        {t('You are working in {{account}} now.', { account: viewer.account.name })}
      </Empty>
      {fault && <ErrorBar fault={fault} />}
    </Card>
  )
}
