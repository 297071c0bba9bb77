import { Building2, ChartColumn, CircleGauge, CircleUserRound, Coins, History, KeyRound, LayoutDashboard, type LucideIcon, PlugZap, Server, Settings, Users } from 'lucide-react'
import { readsAccount, readsPlane, type Viewer } from '@/graphql/viewer'
import { t } from '@/lib/i18n'
import { type Plane, slugOf } from '@/lib/plane'

export type Page = { to: string; label: string; icon: LucideIcon; key: string }

/** Pages of a plane that the viewer's roles open; those of others are absent. */
export function planePages(viewer: Viewer, plane: Plane): Page[] {
  if (!viewer.account.planes.includes(plane) || !readsPlane(viewer, plane)) return []
  const at = (path: string) => `/a/${viewer.account.slug}/${slugOf(plane)}${path}`
  const copilot = plane === 'COPILOT'
  return [
    { to: at(''), label: t('Overview'), icon: LayoutDashboard, key: 'o' },
    { to: at('/keys'), label: t('Virtual keys'), icon: KeyRound, key: 'k' },
    { to: at('/models'), label: copilot ? t('Models') : t('Providers & models'), icon: Server, key: 'm' },
    { to: at('/budgets'), label: copilot ? t('Credit budgets') : t('Budgets'), icon: copilot ? Coins : CircleGauge, key: 'b' },
    { to: at('/usage'), label: t('Usage'), icon: ChartColumn, key: 'u' },
    { to: at('/users'), label: t('Users'), icon: Users, key: 'p' },
    { to: at('/audit'), label: t('Audit log'), icon: History, key: 'a' },
  ]
}

export function platformPages(viewer: Viewer): Page[] {
  if (!viewer.isPlatformStaff) return []
  return [
    { to: '/sa', label: t('Overview'), icon: LayoutDashboard, key: 'o' },
    { to: '/sa/accounts', label: t('Accounts'), icon: Building2, key: 'c' },
    { to: '/sa/models', label: t('Copilot models'), icon: Server, key: 'm' },
    { to: '/sa/providers', label: t('Upstream providers'), icon: PlugZap, key: 'p' },
    { to: '/sa/audit', label: t('Audit log'), icon: History, key: 'a' },
  ]
}

/** Pages that belong to no plane. */
export function otherPages(viewer: Viewer): Page[] {
  if (viewer.isPlatformStaff) return []
  const pages: Page[] = [{ to: '/me', label: t('My budgets & keys'), icon: CircleUserRound, key: 'i' }]
  if (readsAccount(viewer)) pages.push({ to: `/a/${viewer.account.slug}/settings`, label: t('Account'), icon: Settings, key: 's' })
  return pages
}

export function home(viewer: Viewer): string {
  const pages = [...platformPages(viewer), ...viewer.account.planes.flatMap((p) => planePages(viewer, p)), ...otherPages(viewer)]
  return pages[0]?.to ?? '/me'
}
