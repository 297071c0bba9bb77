import { useViewer } from '@/graphql/viewer'
import { LinkTabs } from '@/kit/link-tabs'
import { t } from '@/lib/i18n'

/** Pages about oneself. */
export function MeTabs() {
  const { isPlatformStaff: staff, account } = useViewer()
  return (
    <LinkTabs
      label={t('About you')}
      tabs={[
        ...(staff ? [] : [{ to: '/me', label: t('Budgets & keys') }, { to: '/me/usage', label: t('Usage') }, ...(account.planes.includes('COPILOT') ? [{ to: '/me/connections', label: t('Connections') }, { to: '/me/marketplace', label: t('Marketplace') }] : [])]),
        { to: '/me/profile', label: t('Profile & sessions') },
        { to: '/me/programs', label: t('Tokens & programs') },
        { to: '/me/inbox', label: t('Inbox') },
        { to: '/me/notifications', label: t('Notifications') },
      ]}
    />
  )
}
