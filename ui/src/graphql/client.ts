import { type Cache, cacheExchange } from '@urql/exchange-graphcache'
import { Client, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core'
import { createClient } from 'graphql-ws'
import { setLive } from './live'

const socket = createClient({
  url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: (n) => new Promise((go) => setTimeout(go, Math.min(500 * 2 ** n, 10_000) * (0.75 + Math.random() / 2))),
  on: {
    connected: () => setLive('live'),
    // 1000: nobody watches anything any more, so it was hung up.
    closed: (event) => setLive((event as CloseEvent).code === 1000 ? 'paused' : 'reconnecting'),
  },
})

// What one budget gets, others have not: shares and marks follow.
const allocated = ['scopes', 'budget', 'allocation', 'history', 'root', 'accounts']

// A mutation that adds or removes rows makes the lists of these fields stale; they are read again where they show.
const lists: Record<string, string[]> = {
  keyCreate: ['keys', 'scopes'],
  keyRevoke: ['keys'],
  agentCreate: ['agents', 'agentGroups', 'ownAgents', 'scopes'],
  agentUpdate: ['agents', 'agentGroups', 'ownAgents', 'diff'],
  agentPublish: ['agents', 'ownAgents', 'versions', 'diff'],
  agentRollback: ['agents', 'ownAgents', 'versions', 'diff'],
  agentVersionRetire: ['versions'],
  agentPause: ['agents', 'ownAgents'],
  agentResume: ['agents', 'ownAgents'],
  agentRetire: ['agents', 'ownAgents'],
  agentDuplicate: ['agents', 'agentGroups', 'ownAgents', 'scopes'],
  agentTransfer: ['ownAgents'],
  agentDelete: ['agents', 'agentGroups', 'ownAgents', 'scopes'],
  connectionCreate: ['connections', 'usableConnections'],
  connectionUpdate: ['usableConnections', 'tools'],
  connectionDelete: ['connections', 'usableConnections', 'grants'],
  connectionDiscover: ['connections', 'tools', 'usableConnections'],
  connectionDisconnectAll: ['connections', 'usableConnections'],
  connectionSecretSet: ['connections', 'signedIn', 'usableConnections'],
  connectionSignOut: ['connections', 'signedIn', 'usableConnections'],
  toolApprove: ['connections', 'tools', 'toolCounts', 'usableConnections'],
  toolReject: ['tools', 'usableConnections'],
  toolUpdate: ['usableConnections'],
  listingCreate: ['marketplace'],
  platformListingCreate: ['marketplace'],
  listingUpdate: ['marketplace'],
  listingSubmit: ['marketplace', 'requests'],
  listingReview: ['marketplace', 'requests'],
  listingWithdraw: ['marketplace', 'requests'],
  listingOffer: ['offer'],
  listingInstall: ['marketplace', 'installations', 'mayRate', 'installCount', 'agents', 'connections', 'models', 'catalogModels'],
  listingUpgrade: ['marketplace', 'installations', 'agents', 'draft', 'diff', 'connections'],
  listingUninstall: ['marketplace', 'installations', 'installCount', 'agents', 'connections', 'models', 'catalogModels'],
  listingRate: ['ratings'],
  providerCreate: ['providers'],
  modelCreate: ['models', 'providers', 'grants'],
  modelInstall: ['models', 'catalogModels', 'grants'],
  modelUninstall: ['models', 'catalogModels'],
  centralProviderCreate: ['centralProviders'],
  catalogModelCreate: ['catalogModels'],
  budgetRenew: ['scopes', 'statements', 'allocation', 'history', 'root'],
  budgetFreeze: ['history'],
  budgetResume: ['history'],
  budgetSet: allocated,
  budgetRemove: allocated,
  budgetIncrease: allocated,
  budgetIncreaseEnd: allocated,
  budgetMove: allocated,
  requestCreate: ['requests', 'scopes', 'budget', 'limits', 'available', 'access', 'models'],
  requestApprove: ['requests', 'scopes', 'budget', 'overcommitted', 'limits', 'available', 'grants', 'usableBy', 'models', 'access', 'explain'],
  requestDecline: ['requests'],
  requestWithdraw: ['requests'],
  requestPassUp: ['requests'],
  requestDelegate: ['requests'],
  requestRuleSet: ['requestRules'],
  deputySet: ['deputy'],
  featureSet: ['scopeFeatures', 'features', 'viewerCan', 'viewerCanWithin'],
  organizationCreate: ['organizations', 'scopes'],
  organizationArchive: ['organizations', 'teams', 'members', 'scopes'],
  organizationRestore: ['organizations', 'teams', 'members', 'scopes'],
  organizationDelete: ['organizations', 'teams', 'members', 'scopes', 'keys', 'roleBindings', 'invitations'],
  teamCreate: ['teams', 'organizations', 'scopes'],
  teamMove: ['teams', 'organizations', 'members', 'scopes'],
  teamArchive: ['teams', 'members', 'scopes'],
  teamRestore: ['teams', 'members', 'scopes'],
  teamDelete: ['teams', 'organizations', 'members', 'scopes', 'keys', 'roleBindings', 'invitations'],
  memberCreate: ['members', 'teams', 'organizations', 'scopes', 'users', 'seats'],
  memberMove: ['members', 'teams', 'organizations', 'scopes', 'seats'],
  memberDelete: ['members', 'teams', 'organizations', 'scopes', 'keys', 'users', 'seats'],
  memberDefaultSet: ['members', 'seats', 'seat'],
  roleBind: ['roleBindings', 'roles', 'members'],
  roleUnbind: ['roleBindings', 'roles', 'members'],
  invitationCreate: ['invitations'],
  invitationResend: ['invitations'],
  invitationRevoke: ['invitations'],
  sessionRevoke: ['sessions'],
  userSessionsRevoke: ['sessions'],
  passwordSet: ['sessions'],
  userDeactivate: ['users', 'sessions'],
  userReactivate: ['users'],
  personalTokenCreate: ['personalTokens'],
  personalTokenRevoke: ['personalTokens'],
  authorizationRevoke: ['authorizations'],
  accountCreate: ['accounts'],
  accountPlanesSet: ['root'],
  supportAccessStart: ['supportAccesses'],
  supportAccessEnd: ['supportAccesses', 'sessions'],
  domainCreate: ['domains'],
  domainDelete: ['domains'],
  identityProviderCreate: ['identityProviders'],
  identityProviderDelete: ['identityProviders', 'sessions'],
  groupMappingCreate: ['identityProviders'],
  groupMappingDelete: ['identityProviders'],
  signInEnforce: ['sessions'],
  grantSet: ['grants', 'usableBy', 'models', 'explain'],
  grantRemove: ['grants', 'usableBy', 'models', 'explain'],
  notificationsReadAll: ['notifications', 'unreadNotifications'],
  guardrailPresetCreate: ['guardrailPresets', 'guardrailChoices'],
  guardrailPresetUpdate: ['scopeGuardrails', 'guardrails', 'guardrailChoices', 'validation'],
  guardrailPresetDelete: ['guardrailPresets', 'guardrailChoices', 'validation'],
  guardrailAssign: ['scopeGuardrails', 'guardrails', 'validation'],
  guardrailUnassign: ['scopeGuardrails', 'guardrails', 'validation'],
  webhookCreate: ['webhooks'],
  webhookDelete: ['webhooks'],
  serviceClientCreate: ['serviceClients'],
  serviceClientDelete: ['serviceClients'],
}

// Where those fields stand: below the roots of a query, or on an object of its own.
const roots = new Set(['console', 'copilot', 'platform', 'account', 'viewer', 'access'])

function forget(cache: Cache, fields: readonly string[], dry = false) {
  // What was only tried has changed nothing.
  if (dry) return
  forgetOf(cache, 'Query', fields)
  for (const root of cache.inspectFields('Query')) {
    const node = roots.has(root.fieldName) || root.fieldName === 'node' ? cache.resolve('Query', root.fieldName, root.arguments ?? undefined) : null
    if (typeof node !== 'string') continue
    forgetOf(cache, node, fields)
    // A person's seats and roles hang on the seat that was asked for.
    const user = cache.resolve(node, 'user')
    if (typeof user === 'string') forgetOf(cache, user, fields)
  }
}

function forgetOf(cache: Cache, node: string, fields: readonly string[]) {
  for (const f of cache.inspectFields(node)) if (fields.includes(f.fieldName)) cache.invalidate(node, f.fieldName, f.arguments)
}

const kinds: Record<string, string> = { con: 'Console', cop: 'Copilot', org: 'Organization', team: 'Team', mem: 'Member', key: 'Key', agt: 'Agent' }

/** A state of a scope that had no budget tells that it got one: it is read where it shows. */
function noteNewBudgets(result: { budgetBurn?: unknown }, cache: Cache) {
  for (const { scopeId } of (result.budgetBurn as { states: { scopeId: string }[] } | undefined)?.states ?? []) {
    const kind = kinds[scopeId.split('_', 1)[0]!]
    const scope = kind && { __typename: kind, id: scopeId }
    if (scope && cache.resolve(scope, 'budget') === null) cache.invalidate(scope, 'budget')
  }
}

const headers = { 'X-Cockpit-CSRF': '1' }

/** Asks as whoever the cookie names: a session that is over is exchanged, where there is one to go back to. */
export async function knock(): Promise<void> {
  await fetch('/graphql', { method: 'POST', credentials: 'same-origin', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ query: '{ viewer { name } }' }) }).catch(() => undefined)
}

/** A client for one sign-in; another account or person gets a fresh one with an empty cache. */
export function makeClient(onSignedOut: (inSupport: boolean) => void) {
  let inSupport = false
  return new Client({
    url: '/graphql',
    preferGetMethod: false,
    fetchOptions: { credentials: 'same-origin', headers },
    exchanges: [
      mapExchange({
        onResult: ({ data }) => {
          const viewer = (data as { viewer?: { support?: object | null } } | undefined)?.viewer
          if (viewer && 'support' in viewer) inSupport = Boolean(viewer.support)
        },
        onError: (error) => {
          if (error.graphQLErrors.some((e) => e.extensions.code === 'UNAUTHENTICATED')) onSignedOut(inSupport)
        },
      }),
      cacheExchange({
        keys: {
          BudgetState: (data) => data.budgetId as string,
          ...Object.fromEntries(unkeyed.map((type) => [type, () => null])),
        },
        updates: {
          Subscription: { budgetBurn: (result, _args, cache) => noteNewBudgets(result, cache) },
          Mutation: Object.fromEntries(Object.entries(lists).map(([name, fields]) => [name, (_result, args, cache: Cache) => forget(cache, fields, (args.input as { dryRun?: boolean } | undefined)?.dryRun)])),
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => {
          const variables = { ...(request.variables as Record<string, unknown>) }
          return { subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: request.query ?? '', variables }, resuming(variables, sink)) }) }
        },
      }),
    ],
  })
}

type Result = { data?: Record<string, unknown> | null }

/** Remembers in the variables how far it came: what asks with a number or cursor to go on after is asked anew with the newest one when the connection was lost. */
function resuming<Sink extends { next: (result: never) => void }>(variables: Record<string, unknown>, sink: Sink): Sink {
  if (!('after' in variables)) return sink
  return {
    ...sink,
    next: (result: never) => {
      for (const payload of Object.values((result as Result).data ?? {})) {
        const { seq, cursor } = (payload ?? {}) as { seq?: unknown; cursor?: unknown }
        if (typeof seq === 'number') variables.after = Math.max(seq, Number(variables.after ?? 0))
        else if (typeof cursor === 'string') variables.after = cursor
      }
      sink.next(result)
    },
  }
}

/** Ends the socket, so that the next subscription is made in the name of whoever signs in then. */
export const hangUp = () => socket.terminate()

// Values without an id, which live inside their parent.
const unkeyed = [
  'GuardrailRule',
  'GuardrailAllowed',
  'GuardrailModeration',
  'GuardrailAssignment',
  'GuardrailFindings',
  'GuardrailFinding',
  'GuardrailSimulation',
  'ScopeGuardrail',
  'Inbox',
  'ConnectionOAuth',
  'ConnectionSignedIn',
  'ConnectionHealth',
  'ToolCounts',
  'Installation',
  'ListingReview',
  'ListingChange',
  'ListingLack',
  'ListingImpact',
  'UninstallImpact',
  'AgentDefinition',
  'AgentResource',
  'AgentLink',
  'AgentProblem',
  'AgentGuardrail',
  'AgentChange',
  'NotificationPreference',
  'Viewer',
  'ViewerRole',
  'ViewerPermission',
  'AccountChoice',
  'MemberRole',
  'DailySpend',
  'Spender',
  'Allocation',
  'BudgetPlan',
  'BudgetChange',
  'BudgetTerms',
  'BudgetWarning',
  'CreditPrice',
  'AuditChange',
  'UsageReport',
  'UsageTotals',
  'UsageRow',
  'UsageDay',
  'CatalogImpact',
  'CatalogOffer',
  'PricePreview',
  'PricePreviewRow',
  'DefaultModel',
  'PlatformUsage',
  'PlatformTotals',
  'PlatformUsageRow',
  'PlatformUsageDay',
  'PageInfo',
  'ScopeAccess',
  'ModelAccess',
  'SignInMethods',
  'InvitationPreview',
  'InvitationLink',
  'Impact',
  'Permission',
  'AuthorizationRequest',
  'AuditHistogram',
  'AuditBucket',
  'Explanation',
  'ExplanationStep',
  'ChargeOverflow',
  'StatementModel',
  'RequestPass',
  'RequestImpact',
  'BudgetRaise',
  'RequestInbox',
  'SeatLimit',
  'WhatIf',
  'WhatIfOutcome',
  'WhatIfModel',
  'WhatIfTarget',
  ...['Scope', 'Organization', 'Team', 'Member', 'Key', 'Provider', 'Model', 'Charge', 'Account', 'AuditEvent', 'CentralProvider', 'CatalogModel', 'User', 'RoleBinding', 'Invitation', 'Session', 'PersonalToken', 'Authorization', 'ModelAccess', 'Domain', 'IdentityProvider', 'ServiceClient', 'SupportAccess', 'Grant', 'AuditCheckpoint', 'Statement', 'Request', 'Notification', 'BudgetAlert', 'Webhook', 'WebhookDelivery', 'Connection', 'Tool', 'Listing'].flatMap((t) => [`${t}Connection`, `${t}Edge`]),
]
