import { Bell, BellRing, Blocks, Bot, Building, Building2, ChartColumn, CircleGauge, CircleUserRound, Coins, History, Inbox, KeyRound, LayoutDashboard, type LucideIcon, MailPlus, Plug, PlugZap, ReceiptText, Server, Settings, ShieldCheck, ShieldHalf, ShieldQuestionMark, Store, UserRoundCog, Users, UsersRound } from 'lucide-react'
import { readsAccount, readsPlane, type Viewer } from '@/graphql/viewer'
import { t } from '@/lib/i18n'
import { type Plane, slugOf } from '@/lib/plane'

/** Also: other addresses that belong to it; exact: those below it don't. */
export type Page = { to: string; label: string; icon: LucideIcon; key: string; also?: readonly string[]; exact?: boolean }

/** The page that an address belongs to: the most special one that leads to it. */
export function pageAt(pages: readonly Page[], pathname: string): Page | undefined {
  const within = (to: string) => pathname === to || pathname.startsWith(`${to}/`)
  return pages.filter((p) => pathname === p.to || (!p.exact && within(p.to)) || p.also?.some(within)).toSorted((a, b) => b.to.length - a.to.length)[0]
}

/** Pages of a plane that the viewer's roles open; those of others are absent. */
export function planePages(viewer: Viewer, plane: Plane): Page[] {
  if (!viewer.account.planes.includes(plane) || !readsPlane(viewer, plane)) return []
  const at = (path: string) => `/a/${viewer.account.slug}/${slugOf(plane)}${path}`
  const copilot = plane === 'COPILOT'
  return [
    { to: at(''), label: t('Overview'), icon: LayoutDashboard, key: 'o' },
    { to: at('/keys'), label: t('Virtual keys'), icon: KeyRound, key: 'k' },
    ...(copilot ? [{ to: at('/agents'), label: t('Agents'), icon: Bot, key: 'g' }, { to: at('/connections'), label: t('Connections'), icon: Plug, key: 'c' }, { to: at('/marketplace'), label: t('Marketplace'), icon: Store, key: 'h' }] : []),
    { to: at('/models'), label: copilot ? t('Models') : t('Providers & models'), icon: Server, key: 'm' },
    { to: at('/budgets'), label: copilot ? t('Credit budgets') : t('Budgets'), icon: copilot ? Coins : CircleGauge, key: 'b' },
    { to: at('/alerts'), label: t('Alerts'), icon: BellRing, key: 'l' },
    { to: at('/usage'), label: t('Usage'), icon: ChartColumn, key: 'u' },
    { to: at('/statements'), label: t('Statements'), icon: ReceiptText, key: 'n' },
    { to: at('/requests'), label: t('Requests'), icon: Inbox, key: 'q' },
    { to: at('/organizations'), label: t('Organizations'), icon: Building, key: 'r' },
    { to: at('/teams'), label: t('Teams'), icon: UsersRound, key: 't' },
    { to: at('/users'), label: t('Users'), icon: Users, key: 'p' },
    { to: at('/access'), label: t('Access'), icon: ShieldQuestionMark, key: 'x' },
    { to: at('/guardrails'), label: t('Guardrails'), icon: ShieldHalf, key: 'd' },
    { to: at('/audit'), label: t('Audit log'), icon: History, key: 'a' },
  ]
}

export function platformPages(viewer: Viewer): Page[] {
  if (!viewer.isPlatformStaff) return []
  return [
    { to: '/sa', label: t('Overview'), icon: LayoutDashboard, key: 'o' },
    { to: '/sa/accounts', label: t('Accounts'), icon: Building2, key: 'c' },
    { to: '/sa/requests', label: t('Requests'), icon: Inbox, key: 'q' },
    { to: '/sa/usage', label: t('Usage'), icon: ChartColumn, key: 'u' },
    { to: '/sa/models', label: t('Copilot models'), icon: Server, key: 'm' },
    { to: '/sa/marketplace', label: t('Marketplace'), icon: Store, key: 'h' },
    { to: '/sa/providers', label: t('Upstream providers'), icon: PlugZap, key: 'p' },
    { to: '/sa/staff', label: t('Staff'), icon: ShieldCheck, key: 't' },
    { to: '/sa/programs', label: t('Programs'), icon: Blocks, key: 'r' },
    { to: '/sa/audit', label: t('Audit log'), icon: History, key: 'a' },
  ]
}

/** Pages that belong to no plane. */
export function otherPages(viewer: Viewer): Page[] {
  const profile: Page = { to: '/me/profile', label: t('My profile'), icon: UserRoundCog, key: 'f', also: ['/me/programs'] }
  const inbox: Page = { to: '/me/inbox', label: t('Inbox'), icon: Bell, key: 'e', also: ['/me/notifications'] }
  if (viewer.isPlatformStaff) return [profile, inbox]
  // In a support access there is nothing of one's own.
  const pages: Page[] = viewer.support ? [] : [{ to: '/me', label: t('My budgets & keys'), icon: CircleUserRound, key: 'i', also: ['/me/usage', '/me/connections', '/me/marketplace'], exact: true }, inbox, profile]
  if (readsAccount(viewer)) pages.push({ to: `/a/${viewer.account.slug}/settings`, label: t('Account'), icon: Settings, key: 's' })
  return pages
}

/** What an admin begins most often, from anywhere in a plane; the page itself asks the server who may. */
export function planeActions(viewer: Viewer, plane: Plane): Page[] {
  const admin = viewer.account.planes.includes(plane) && viewer.roles.some((r) => r.role === 'ADMIN' && r.kind !== 'PLATFORM' && (r.plane === null || r.plane === undefined || r.plane === plane))
  if (!admin) return []
  const at = (path: string) => `/a/${viewer.account.slug}/${slugOf(plane)}${path}`
  return [
    { to: at('/users?new=invitation'), label: t('Invite people'), icon: MailPlus, key: '' },
    { to: at('/teams?new=team'), label: t('New team'), icon: UsersRound, key: '' },
    { to: at('/organizations?new=organization'), label: t('New organization'), icon: Building, key: '' },
  ]
}

/** Pages of the account's settings. */
export function settingsPages(viewer: Viewer): { to: string; label: string }[] {
  const at = `/a/${viewer.account.slug}/settings`
  return [
    { to: at, label: t('General') },
    { to: `${at}/people`, label: t('Admins & people') },
    { to: `${at}/domains`, label: t('Domains') },
    { to: `${at}/sign-in`, label: t('Sign-in') },
    { to: `${at}/programs`, label: t('Programs') },
    { to: `${at}/webhooks`, label: t('Webhooks') },
    // Sessions of people are closed to support.
    ...(viewer.support ? [] : [{ to: `${at}/sessions`, label: t('Sessions') }]),
    { to: `${at}/support`, label: t('Support') },
    { to: `${at}/audit`, label: t('Audit log') },
  ]
}

export function home(viewer: Viewer): string {
  const pages = [...platformPages(viewer), ...viewer.account.planes.flatMap((p) => planePages(viewer, p)), ...otherPages(viewer)]
  return pages[0]?.to ?? '/me'
}
