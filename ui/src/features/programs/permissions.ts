import { t } from '@/lib/i18n'

export type Permission = { name: string; about: string }

// What a program does in people's names: it is bounded by each person's own rights, so whoever makes it known
// needn't hold it.
const forPeople: readonly Permission[] = [
  { name: 'models.call', about: t("Call models through the gateway, at the cost of the person's seat.") },
  { name: 'tools.call', about: t("Call tools of connections, at the cost of the person's seat.") },
  { name: 'agents.resolve', about: t('Read the instructions of agents that the person may use, to run them; by token exchange alone.') },
]

// Programs of the platform act for people of every account, in whatever those may do there.
const forEveryAccount: readonly Permission[] = [
  { name: 'keys.manage', about: t('Revoke virtual keys; make them, together with models.call.') },
  { name: 'budgets.manage', about: t('Set, stop and remove budgets; ask for more, and decide on it.') },
  { name: 'access.manage', about: t('Allow and deny models, agents, connections and tools; set up guardrails.') },
  { name: 'connections.manage', about: t('Set up connections, approve their tools and set prices of calls.') },
  { name: 'models.manage', about: t('Set up providers, models and prices.') },
  { name: 'agents.manage', about: t('Build, publish, hand over and delete agents, and read their instructions.') },
]

const usual = ['profile', 'read', 'models.call', 'tools.call']

/** What can be chosen: what the viewer could give a token, what only people hold, and what the program has. The usual first. */
export function choices(grantable: readonly Permission[], platform: boolean, has: readonly Permission[] = []): Permission[] {
  const all = new Map([...forPeople, ...(platform ? forEveryAccount : []), ...has, ...grantable].map((p) => [p.name, p]))
  const rank = (p: Permission) => (usual.includes(p.name) ? usual.indexOf(p.name) : usual.length)
  return [...all.values()].toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}

/** Permissions that change something for others: worth a second look. */
export const powerful = (name: string) => name.endsWith('.manage')
