import { expect, test } from './fixture'
import { signedIn } from './server'

test('a change made elsewhere appears in the audit log by itself, with its difference', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/audit')
  await expect(page.getByRole('button', { name: 'Live' })).toBeVisible()
  await expect(page.getByRole('button', { name: /Anna Keller/ }).first()).toBeVisible()

  const query = await signedIn('admin')
  type Tree = { console: { scopes: { edges: { node: { id: string; name: string; budget: { limit: string } | null } }[] } } }
  const { console } = await query<Tree>('{ console { scopes(kinds: [TEAM], first: 100) { edges { node { id name budget { limit } } } } } }')
  const team = console.scopes.edges.find((e) => e.node.name === 'Platform')!.node
  const limit = team.budget!.limit === '96' ? '95' : '96'
  await query('mutation ($input: BudgetSetInput!) { budgetSet(input: $input) { errors { message } } }', { input: { scopeId: team.id, limit } })

  const event = page.getByRole('button', { name: new RegExp(`Anna Keller set the limit of Platform .*→ \\$${limit}`) }).first()
  await expect(event).toBeVisible()
  await event.click()
  await expect(page.getByText(/^req_/).first()).toBeVisible()
  await expect(page.locator('ins').first()).toContainText(`$${limit}`)

  await page.getByRole('button', { name: 'Refused', exact: true }).click()
  await expect(page).toHaveURL(/outcome=REFUSED/)
  await expect(page.getByRole('button', { name: /set the limit of Platform/ })).toHaveCount(0)
})
