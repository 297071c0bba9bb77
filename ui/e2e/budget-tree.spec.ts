import type { Page } from '@playwright/test'
import { expect, test, violations } from './fixture'
import { call, console as plane, signedIn } from './server'

const row = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`^(Open |Close )?${name}( |$)`) })

const limitOf = (page: Page, name: string) => page.getByRole('button', { name: new RegExp(`Change the limit of ${name}`) })

async function budgets(page: Page) {
  await page.goto('/a/acme/console/budgets')
  await expect(row(page, 'Payments')).toBeVisible()
}

test('budget is dragged from one team to its neighbour, and to nobody else', async ({ page, signIn }) => {
  await signIn('admin')
  await budgets(page)
  const was = [await limitOf(page, 'Risk').textContent(), await limitOf(page, 'Fraud').textContent()]
  const dialog = page.getByRole('dialog', { name: 'Move budget' })
  const drag = async (from: string, to: string) => {
    await row(page, from).dragTo(row(page, to), { sourcePosition: { x: 200, y: 20 }, targetPosition: { x: 200, y: 20 } })
    await expect(dialog.getByLabel('From')).toContainText(from)
    await expect(dialog.getByLabel('To')).toContainText(to)
    await dialog.getByLabel('Amount, $').fill('2.5')
    await dialog.getByRole('button', { name: 'Move budget' }).click()
    await expect(dialog).toBeHidden()
  }
  await drag('Risk', 'Fraud')
  await expect(limitOf(page, 'Risk')).not.toHaveText(was[0]!)
  await expect(limitOf(page, 'Fraud')).not.toHaveText(was[1]!)
  await drag('Fraud', 'Risk')
  await expect(limitOf(page, 'Risk')).toHaveText(was[0]!)
  await expect(limitOf(page, 'Fraud')).toHaveText(was[1]!)

  // A team of another organization takes nothing.
  await row(page, 'Risk').dragTo(row(page, 'Underwriting'), { sourcePosition: { x: 200, y: 20 }, targetPosition: { x: 200, y: 20 } })
  await row(page, 'Risk').focus()
  await expect(dialog).toBeHidden()
})

type Made = { teamCreate: { team: { id: string } } }
type Start = { console: { organizations: { edges: { node: { id: string } }[] }; models: { edges: { node: { id: string; name: string } }[] } } }

test('everybody of a large team is reached: page by page with the keyboard, and by name', async ({ page, signIn }) => {
  test.slow()
  const query = await signedIn('admin')
  const start = (await query<Start>('{ console { organizations(first: 1) { edges { node { id } } } models(first: 50) { edges { node { id name } } } } }')).console
  const name = `Large ${Date.now().toString(36)}`
  const { team } = (await query<Made>('mutation ($input: TeamCreateInput!) { teamCreate(input: $input) { team { id } } }', { input: { organizationId: start.organizations.edges[0]!.node.id, name } })).teamCreate
  const modelId = start.models.edges.find((e) => e.node.name === plane.model)!.node.id
  const leaf = (i: number) => `${name} ${String(i).padStart(3, '0')}`
  let secret = ''
  for (let i = 1; i <= 120; i++) {
    const made = await query<{ keyCreate: { secret: string } }>('mutation ($input: KeyCreateInput!) { keyCreate(input: $input) { secret } }', { input: { name: leaf(i), ownerId: team.id, modelIds: [modelId] } })
    secret = made.keyCreate.secret
  }

  await signIn('admin')
  await budgets(page)
  await page.getByRole('button', { name: `Open ${name}` }).click()
  await expect(row(page, leaf(100))).toBeAttached()
  await expect(row(page, leaf(101))).toHaveCount(0)
  await expect(row(page, leaf(1))).toHaveAttribute('aria-setsize', '-1')
  const more = page.getByRole('row', { name: `Show more of ${name}` })
  await row(page, leaf(100)).focus()
  await page.keyboard.press('ArrowDown')
  await expect(more).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(row(page, leaf(101))).toBeFocused()
  await expect(more).toHaveCount(0)
  await expect(row(page, leaf(120))).toHaveAttribute('aria-setsize', '120')
  expect(await violations(page)).toEqual([])

  // The last one gets a limit, and is live from then on.
  for (let i = 101; i < 120; i++) await page.keyboard.press('ArrowDown')
  await expect(row(page, leaf(120))).toBeFocused()
  await page.keyboard.press('e')
  await page.keyboard.type('0.001')
  await page.keyboard.press('Enter')
  await expect(row(page, leaf(120))).toContainText('$0.001')
  const meter = row(page, leaf(120)).getByRole('meter')
  await expect(meter).toHaveAttribute('aria-valuenow', '0')
  expect((await call(secret, plane.model)).status).toBe(200)
  await expect(meter).not.toHaveAttribute('aria-valuenow', '0')

  // Found by name without being opened, and told where it stands.
  await page.goto(`/a/acme/console/budgets?q=${encodeURIComponent(leaf(117))}`)
  await expect(row(page, leaf(117))).toContainText(`Key in `)
  await expect(row(page, leaf(117))).toContainText(name)
  await expect(page.getByRole('treegrid').getByRole('row')).toHaveCount(2)
  await page.getByLabel('Filter by name').fill('nothing is called this')
  await expect(page.getByText('No name matches')).toBeVisible()
  const gone = await query<{ teamDelete: { errors: unknown[] } }>('mutation ($input: TeamDeleteInput!) { teamDelete(input: $input) { errors { message } } }', { input: { teamId: team.id, confirm: name } })
  expect(gone.teamDelete.errors).toEqual([])
})

test('a budget is frozen and let go from its row, and its history tells why', async ({ page, signIn }) => {
  await signIn('admin')
  await budgets(page)
  await page.getByRole('button', { name: 'Actions for Fraud' }).click()
  await page.getByRole('menuitem', { name: 'Freeze' }).click()
  await page.getByLabel('Why').fill('Somebody tests in production')
  await page.getByRole('dialog').getByRole('button', { name: 'Freeze' }).click()
  await expect(row(page, 'Fraud')).toContainText('Frozen')

  await page.getByRole('button', { name: 'Actions for Fraud' }).click()
  await expect(page.getByRole('menuitem', { name: 'Freeze' })).toHaveCount(0)
  await page.getByRole('menuitem', { name: 'Resume' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
  await expect(row(page, 'Fraud')).not.toContainText('Frozen')

  await row(page, 'Fraud').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('tab', { name: 'History' }).click()
  const history = page.getByRole('tabpanel', { name: 'History' })
  await expect(history).toContainText('let it go on after a freeze')
  await expect(history).toContainText('froze it')
  await expect(history).toContainText('“Somebody tests in production”')
  await expect(history).not.toContainText('budget.')
})
