import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet, redirect, useLocation } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense } from 'react'
import { useClient } from 'urql'
import { toFault } from '@/graphql/fault'
import { SessionEndDocument, SessionSwitchDocument, SupportEndDocument, ViewerDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { readsAccount, readsPlane, useViewer, type Viewer, ViewerProvider } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar, Forbidden } from '@/kit/state'
import { LinkTabs } from '@/kit/link-tabs'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, planeOf } from '@/lib/plane'
import { plainSearch, safePath, texts } from '@/lib/url'
import { home, settingsPages } from './nav'
import { Shell } from './shell'

type Context = { enter: (viewer: Viewer, next?: string) => void; leave: (next?: string) => void; comeBack: () => void }

const root = createRootRouteWithContext<Context>()({ component: Outlet })

// Pages load by their own module: a feature's index is what other features share of it.
const SignInPage = lazyRouteComponent(() => import('@/features/session/sign-in'), 'SignInPage')
const SwitchAccount = lazyRouteComponent(() => import('@/features/session/switch'), 'SwitchAccount')

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: texts('next', 'email', 'error', 'request'),
  component: function SignIn() {
    const { enter } = signIn.useRouteContext()
    const search = signIn.useSearch()
    return <SignInPage {...search} next={safePath(search.next)} onSignedIn={(viewer) => enter(viewer, search.next)} />
  },
})

const formerSignIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: texts('next'),
  beforeLoad: ({ search }) => {
    throw redirect({ to: '/sign-in', search, replace: true })
  },
})

const ResetPage = lazyRouteComponent(() => import('@/features/session/reset'), 'ResetPage')
const AcceptPage = lazyRouteComponent(() => import('@/features/invitations/accept'), 'AcceptPage')
const AuthorizePage = lazyRouteComponent(() => import('@/features/authorizations/authorize'), 'AuthorizePage')

// Links of mails carry their secret behind the #, which no server and no log gets to see; the other forms are for hand-made ones.
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset-password',
  component: function Reset() {
    return <ResetPage token={useLocation().hash} />
  },
})

const resetByQuery = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  validateSearch: texts('token'),
  component: function ResetByQuery() {
    return <ResetPage token={resetByQuery.useSearch().token} />
  },
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: function Invitation() {
    const { enter } = invitation.useRouteContext()
    const { hash } = useLocation()
    return <AcceptPage key={hash} token={hash} onAccepted={(viewer) => enter(viewer)} />
  },
})

const invitationByPath = createRoute({
  getParentRoute: () => root,
  path: '/invite/$token',
  component: function InvitationByPath() {
    const { enter } = invitationByPath.useRouteContext()
    return <AcceptPage token={invitationByPath.useParams().token} onAccepted={(viewer) => enter(viewer)} />
  },
})

const authorize = createRoute({
  getParentRoute: () => root,
  path: '/oauth/authorize',
  validateSearch: texts('client_id', 'redirect_uri', 'scope', 'response_type', 'code_challenge', 'code_challenge_method', 'state', 'nonce'),
  component: function Authorize() {
    const { leave } = authorize.useRouteContext()
    return <AuthorizePage parameters={authorize.useSearch()} onOther={() => leave(location.pathname + location.search)} />
  },
})

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: function SignedIn() {
    const { enter, leave, comeBack } = app.useRouteContext()
    const client = useClient()
    const { data, fault, retry } = useRead(ViewerDocument, {})
    if (!data) {
      return fault && fault.code !== 'UNAUTHENTICATED' ? (
        <div className="mx-auto max-w-xl p-6">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      ) : (
        <SkeletonBlock className="h-13" />
      )
    }
    const signOut = async () => {
      const result = await client.mutation(SessionEndDocument, {})
      if (result.error) toast(toFault(result.error).message)
      else leave()
    }
    const switchTo = async (accountId: string) => {
      const result = await client.mutation(SessionSwitchDocument, { input: { accountId } })
      const viewer = result.data?.sessionSwitch.viewer
      if (viewer) enter(viewer)
      else toast(result.error ? toFault(result.error).message : (result.data?.sessionSwitch.errors[0]?.message ?? t('The switch was refused.')))
    }
    const endSupport = async (id: string) => {
      const result = await client.mutation(SupportEndDocument, { input: { supportAccessId: id } })
      const payload = result.data?.supportAccessEnd
      if (payload?.viewer) enter(payload.viewer, `/sa/accounts/${data.viewer.account.id}?tab=support`)
      else if (payload?.supportAccess) leave()
      else toast(result.error ? toFault(result.error).message : (payload?.errors[0]?.message ?? t('It was refused.')))
    }
    return (
      <ViewerProvider value={data.viewer}>
        <Shell onSignOut={signOut} onSwitchAccount={switchTo} onEndSupport={endSupport} onSupportOver={comeBack}>
          <Outlet />
        </Shell>
      </ViewerProvider>
    )
  },
})

const index = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: function Home() {
    return <Navigate to={home(useViewer())} replace />
  },
})

const account = createRoute({
  getParentRoute: () => app,
  path: '/a/$account',
  component: function InAccount() {
    const { account: slug } = account.useParams()
    const { enter } = app.useRouteContext()
    if (useViewer().account.slug === slug) return <Outlet />
    return <SwitchAccount slug={slug} onSwitched={(viewer) => enter(viewer, location.pathname + location.search)} />
  },
})

// Where an identity provider leads back to.
const accountHome = createRoute({
  getParentRoute: () => account,
  path: '/',
  component: function AccountHome() {
    return <Navigate to={home(useViewer())} replace />
  },
})

const plane = createRoute({
  getParentRoute: () => account,
  path: '/$plane',
  component: function InPlane() {
    const viewer = useViewer()
    const at = planeOf(plane.useParams().plane)
    if (!at || !viewer.account.planes.includes(at)) return <NotFound />
    if (!readsPlane(viewer, at)) {
      return (
        <Card>
          <Forbidden need={t("an admin's or auditor's role in {{plane}}", { plane: nameOf(at) })} ask={t('an admin of {{account}}', { account: viewer.account.name })} />
        </Card>
      )
    }
    // Nothing of one plane's page lives on in the other's.
    return <Outlet key={at} />
  },
})

const platform = createRoute({
  getParentRoute: () => app,
  path: '/sa',
  component: function OnPlatform() {
    if (useViewer().isPlatformStaff) return <Outlet />
    return (
      <Card>
        <Forbidden need={t("a super admin's role")} ask={t('the people who run this Cockpit')} />
      </Card>
    )
  },
})

function NotFound() {
  return (
    <Card>
      <Empty page title={t('There is no such page')}>{t('The address may be old or mistyped. The menu shows what there is.')}</Empty>
    </Card>
  )
}

/** A page of both planes; it learns its plane from the address. */
function planePage(load: () => Promise<ComponentType<{ plane: Plane }>>) {
  const Page = lazy(async () => ({ default: await load() }))
  return function PlanePage() {
    return (
      <Suspense fallback={<SkeletonBlock className="h-96" />}>
        <Page plane={planeOf(plane.useParams().plane)!} />
      </Suspense>
    )
  }
}

const under = <P extends typeof plane | typeof platform>(parent: P) => ({ getParentRoute: () => parent })

const AgentPage = lazyRouteComponent(() => import('@/features/agents/editor'), 'AgentPage')

const agentOf = createRoute({
  ...under(plane),
  path: '/agents/$agent',
  validateSearch: texts('tab'),
  component: function AgentOf() {
    return <AgentPage id={agentOf.useParams().agent} home="plane" />
  },
})

// Whoever answers for an agent builds it, though they may see nothing else of the plane.
const ownAgent = createRoute({
  getParentRoute: () => app,
  path: '/me/agents/$agent',
  validateSearch: texts('tab'),
  component: function OwnAgent() {
    return <AgentPage id={ownAgent.useParams().agent} home="me" />
  },
})

const ConnectionPage = lazyRouteComponent(() => import('@/features/connections/detail'), 'ConnectionPage')

const connectionSearch = texts('tab', 'state', 'q', 'tool', 'connected', 'error', 'request')

const connectionOf = createRoute({
  ...under(plane),
  path: '/connections/$connection',
  validateSearch: connectionSearch,
  component: function ConnectionOf() {
    return <ConnectionPage id={connectionOf.useParams().connection} home="plane" />
  },
})

// One's own, for those who see nothing else of the plane.
const ownConnection = createRoute({
  getParentRoute: () => app,
  path: '/me/connections/$connection',
  validateSearch: connectionSearch,
  component: function OwnConnection() {
    return <ConnectionPage id={ownConnection.useParams().connection} home="me" />
  },
})

const ListingPage = lazyRouteComponent(() => import('@/features/marketplace/listing'), 'ListingPage')

const listingOf = createRoute({
  ...under(plane),
  path: '/marketplace/$listing',
  component: function ListingOf() {
    return <ListingPage id={listingOf.useParams().listing} home="plane" />
  },
})

const ownListing = createRoute({
  getParentRoute: () => app,
  path: '/me/marketplace/$listing',
  component: function OwnListing() {
    return <ListingPage id={ownListing.useParams().listing} home="me" />
  },
})

const platformListing = createRoute({
  ...under(platform),
  path: '/marketplace/$listing',
  component: function PlatformListing() {
    return <ListingPage id={platformListing.useParams().listing} home="platform" />
  },
})

const planeRoutes = [
  createRoute({ ...under(plane), path: '/', component: planePage(async () => (await import('@/features/overview/overview')).OverviewPage) }),
  createRoute({ ...under(plane), path: '/budgets', validateSearch: texts('peek', 'q'), component: planePage(async () => (await import('@/features/budgets/budgets')).BudgetsPage) }),
  createRoute({ ...under(plane), path: '/alerts', component: planePage(async () => (await import('@/features/alerts/alerts')).AlertsPage) }),
  createRoute({ ...under(plane), path: '/statements', validateSearch: texts('scope'), component: planePage(async () => (await import('@/features/statements/statements')).StatementsPage) }),
  createRoute({ ...under(plane), path: '/statements/$id', component: planePage(async () => (await import('@/features/statements/statement')).StatementPage) }),
  createRoute({ ...under(plane), path: '/usage', validateSearch: texts('view', 'range', 'from', 'to', 'group', 'by', 'scope', 'model', 'user', 'tag', 'key', 'agent', 'client', 'q', 'peek', 'over', 'flow'), component: planePage(async () => (await import('@/features/usage/usage')).UsagePage) }),
  createRoute({ ...under(plane), path: '/requests', validateSearch: texts('show', 'kind'), component: planePage(async () => (await import('@/features/requests/requests')).RequestsPage) }),
  createRoute({ ...under(plane), path: '/keys', validateSearch: texts('peek', 'q', 'new'), component: planePage(async () => (await import('@/features/keys/keys')).KeysPage) }),
  createRoute({ ...under(plane), path: '/agents', validateSearch: texts('q', 'group', 'state', 'new'), component: planePage(async () => (await import('@/features/agents/list')).AgentsPage) }),
  agentOf,
  createRoute({ ...under(plane), path: '/connections', validateSearch: texts('q', 'show', 'new'), component: planePage(async () => (await import('@/features/connections/list')).ConnectionsPage) }),
  connectionOf,
  createRoute({ ...under(plane), path: '/marketplace', validateSearch: texts('q', 'kind', 'category', 'sort', 'tab', 'new'), component: planePage(async () => (await import('@/features/marketplace/page')).MarketplacePage) }),
  listingOf,
  createRoute({ ...under(plane), path: '/models', validateSearch: texts('q', 'peek'), component: planePage(async () => (await import('@/features/models/models')).ModelsPage) }),
  createRoute({ ...under(plane), path: '/organizations', validateSearch: texts('q', 'peek', 'new'), component: planePage(async () => (await import('@/features/scopes/organizations')).OrganizationsPage) }),
  createRoute({ ...under(plane), path: '/teams', validateSearch: texts('q', 'peek', 'new', 'organization'), component: planePage(async () => (await import('@/features/scopes/teams')).TeamsPage) }),
  createRoute({ ...under(plane), path: '/users', validateSearch: texts('q', 'peek', 'new', 'team', 'tab', 'state'), component: planePage(async () => (await import('@/features/members/members')).MembersPage) }),
  createRoute({ ...under(plane), path: '/guardrails', validateSearch: texts('peek', 'tab', 'scope'), component: planePage(async () => (await import('@/features/guardrails/guardrails')).GuardrailsPage) }),
  createRoute({ ...under(plane), path: '/access', validateSearch: texts('tab', 'user', 'resource', 'action', 'scope'), component: planePage(async () => (await import('@/features/access/access')).AccessPage) }),
  createRoute({ ...under(plane), path: '/audit', validateSearch: texts('q', 'action', 'actor', 'outcome', 'scope', 'range', 'from', 'to', 'peek'), component: planePage(async () => (await import('@/features/audit/audit')).AuditPage) }),
]

const AccountPage = lazyRouteComponent(() => import('@/features/accounts/account'), 'AccountPage')

const accountOf = createRoute({
  ...under(platform),
  path: '/accounts/$id',
  validateSearch: texts('tab'),
  component: function AccountOf() {
    const { id } = accountOf.useParams()
    const { enter } = app.useRouteContext()
    return <AccountPage key={id} id={id} onEntered={(viewer) => enter(viewer)} />
  },
})

const AccountWhatIfPage = lazyRouteComponent(() => import('@/features/whatif/account'), 'AccountWhatIfPage')

const accountWhatIf = createRoute({
  ...under(platform),
  path: '/accounts/$id/what-if',
  validateSearch: texts('plane'),
  component: function AccountWhatIf() {
    return <AccountWhatIfPage id={accountWhatIf.useParams().id} />
  },
})

const platformRoutes = [
  createRoute({ ...under(platform), path: '/', component: lazyRouteComponent(() => import('@/features/platform/platform'), 'PlatformPage') }),
  createRoute({ ...under(platform), path: '/accounts', validateSearch: texts('q', 'status', 'new'), component: lazyRouteComponent(() => import('@/features/accounts/accounts'), 'AccountsPage') }),
  accountOf,
  accountWhatIf,
  createRoute({ ...under(platform), path: '/requests', validateSearch: texts('show'), component: lazyRouteComponent(() => import('@/features/requests/platform'), 'PlatformRequestsPage') }),
  createRoute({ ...under(platform), path: '/usage', validateSearch: texts('range', 'from', 'to', 'group', 'by', 'account', 'name', 'plane', 'model', 'over'), component: lazyRouteComponent(() => import('@/features/platform/usage'), 'PlatformUsagePage') }),
  createRoute({ ...under(platform), path: '/staff', validateSearch: texts('tab', 'new'), component: lazyRouteComponent(() => import('@/features/staff/staff'), 'StaffPage') }),
  createRoute({ ...under(platform), path: '/programs', validateSearch: texts('peek', 'new', 'edit'), component: lazyRouteComponent(() => import('@/features/programs/list'), 'PlatformProgramsPage') }),
  createRoute({ ...under(platform), path: '/models', component: lazyRouteComponent(() => import('@/features/catalog/catalog'), 'CatalogPage') }),
  createRoute({ ...under(platform), path: '/marketplace', validateSearch: texts('q', 'state', 'new'), component: lazyRouteComponent(() => import('@/features/marketplace/page'), 'PlatformMarketplacePage') }),
  platformListing,
  createRoute({ ...under(platform), path: '/providers', component: lazyRouteComponent(() => import('@/features/catalog/providers'), 'CentralProvidersPage') }),
  createRoute({ ...under(platform), path: '/audit', validateSearch: texts('q', 'action', 'actor', 'outcome', 'scope', 'range', 'from', 'to', 'peek'), component: lazyRouteComponent(() => import('@/features/audit/audit'), 'PlatformAuditPage') }),
]

const settings = createRoute({
  getParentRoute: () => account,
  path: '/settings',
  component: function Settings() {
    const viewer = useViewer()
    if (readsAccount(viewer)) {
      return (
        <>
          <LinkTabs label={t('Settings')} tabs={settingsPages(viewer)} />
          <Outlet />
        </>
      )
    }
    return (
      <Card>
        <Forbidden need={t("an account admin's or auditor's role")} ask={t('an admin of {{account}}', { account: viewer.account.name })} />
      </Card>
    )
  },
})

const settingsRoutes = [
  createRoute({ getParentRoute: () => settings, path: '/', component: lazyRouteComponent(() => import('@/features/accounts/settings'), 'SettingsPage') }),
  createRoute({ getParentRoute: () => settings, path: '/people', validateSearch: texts('q', 'status', 'tab', 'state', 'peek'), component: lazyRouteComponent(() => import('@/features/people/people'), 'PeoplePage') }),
  createRoute({ getParentRoute: () => settings, path: '/domains', validateSearch: texts('new'), component: lazyRouteComponent(() => import('@/features/domains/domains'), 'DomainsPage') }),
  createRoute({ getParentRoute: () => settings, path: '/sign-in', validateSearch: texts('tested', 'new', 'edit'), component: lazyRouteComponent(() => import('@/features/sign-in/page'), 'SignInSettingsPage') }),
  createRoute({ getParentRoute: () => settings, path: '/programs', validateSearch: texts('peek', 'new', 'edit'), component: lazyRouteComponent(() => import('@/features/programs/list'), 'ProgramsPage') }),
  createRoute({ getParentRoute: () => settings, path: '/webhooks', validateSearch: texts('peek', 'new', 'edit'), component: lazyRouteComponent(() => import('@/features/webhooks/list'), 'WebhooksPage') }),
  createRoute({ getParentRoute: () => settings, path: '/sessions', validateSearch: texts('user'), component: lazyRouteComponent(() => import('@/features/sessions/sessions'), 'SessionsPage') }),
  createRoute({ getParentRoute: () => settings, path: '/support', component: lazyRouteComponent(() => import('@/features/support/page'), 'SupportPage') }),
  createRoute({ getParentRoute: () => settings, path: '/audit', validateSearch: texts('q', 'action', 'actor', 'outcome', 'scope', 'range', 'from', 'to', 'peek'), component: lazyRouteComponent(() => import('@/features/audit/audit'), 'AccountAuditPage') }),
]

const meRoutes = [
  ownAgent,
  ownConnection,
  createRoute({ getParentRoute: () => app, path: '/me/connections', validateSearch: texts('connection', 'connected', 'error', 'request'), component: lazyRouteComponent(() => import('@/features/connections/mine'), 'MyConnectionsPage') }),
  ownListing,
  createRoute({ getParentRoute: () => app, path: '/me/marketplace', validateSearch: texts('q', 'kind', 'category', 'sort'), component: lazyRouteComponent(() => import('@/features/me/marketplace'), 'MyMarketplacePage') }),
  createRoute({ getParentRoute: () => app, path: '/me', validateSearch: texts('ask'), component: lazyRouteComponent(() => import('@/features/me/me'), 'MePage') }),
  createRoute({ getParentRoute: () => app, path: '/me/profile', component: lazyRouteComponent(() => import('@/features/me/profile'), 'ProfilePage') }),
  createRoute({ getParentRoute: () => app, path: '/me/inbox', validateSearch: texts('show', 'topic'), component: lazyRouteComponent(() => import('@/features/inbox/page'), 'InboxPage') }),
  createRoute({ getParentRoute: () => app, path: '/me/notifications', component: lazyRouteComponent(() => import('@/features/inbox/preferences'), 'PreferencesPage') }),
  createRoute({ getParentRoute: () => app, path: '/me/usage', validateSearch: texts('seat', 'view', 'range', 'from', 'to', 'group', 'by', 'scope', 'model', 'tag', 'key', 'agent', 'client', 'q', 'peek', 'over'), component: lazyRouteComponent(() => import('@/features/me/own-usage'), 'MyUsagePage') }),
  createRoute({ getParentRoute: () => app, path: '/me/programs', component: lazyRouteComponent(() => import('@/features/me/programs'), 'ProgramsPage') }),
]

const routeTree = root.addChildren([
  signIn,
  formerSignIn,
  reset,
  resetByQuery,
  invitation,
  invitationByPath,
  authorize,
  app.addChildren([index, ...meRoutes, account.addChildren([accountHome, settings.addChildren(settingsRoutes), plane.addChildren(planeRoutes)]), platform.addChildren(platformRoutes)]),
])

export const router = createRouter({
  routeTree,
  context: { enter: () => undefined, leave: () => undefined, comeBack: () => undefined },
  parseSearch: plainSearch.parse,
  stringifySearch: plainSearch.stringify,
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
