import { useViewer } from '@/graphql/viewer'
import { Notice } from '@/kit/notice'
import { PageHead } from '@/kit/page'
import { t } from '@/lib/i18n'
import { SupportList } from './list'

/** For the account: who of the platform is or was inside. */
export function SupportPage() {
  const viewer = useViewer()
  return (
    <>
      <PageHead title={t('Support')} note={t('Visits of the people who run this Cockpit in {{account}}.', { account: viewer.account.name })} />
      <Notice className="mb-4">{t('Without a visit they see names, amounts and health, and nothing of your content. A visit needs a reason, ends by itself after at most 8 hours, and you can end it at any moment.')}</Notice>
      <SupportList accountId={viewer.account.id} />
    </>
  )
}
