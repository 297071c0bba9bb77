import type { Page } from '@playwright/test'
import { expect, test, violations } from './fixture'
import { call } from './server'

const stamp = () => Date.now().toString(36)

/** GraphQL in the name of whoever is signed in on a page. */
const ask = <Data>(page: Page, query: string, variables: object = {}) =>
  page.evaluate(
    async (body) => {
      const answer = await fetch('/graphql', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Cockpit-CSRF': '1' }, body })
      return ((await answer.json()) as { data: Data }).data
    },
    JSON.stringify({ query, variables }),
  )

type Start = { copilot: { id: string; catalogModels: { edges: { node: { id: string; name: string } }[] }; teams: { edges: { node: { id: string } }[] } } }

/** A key of the new account, made by its first admin, and a model that it may call. */
async function firstKey(guest: Page) {
  const { copilot } = await ask<Start>(guest, '{ copilot { id catalogModels(first: 1) { edges { node { id name } } } teams(first: 1) { edges { node { id } } } } }')
  const catalog = copilot.catalogModels.edges[0]!.node
  const { modelInstall } = await ask<{ modelInstall: { model: { id: string } } }>(guest, 'mutation ($i: ModelInstallInput!) { modelInstall(input: $i) { model { id } errors { message } } }', { i: { catalogModelId: catalog.id, grantTo: [copilot.id] } })
  const { keyCreate } = await ask<{ keyCreate: { secret: string } }>(guest, 'mutation ($i: KeyCreateInput!) { keyCreate(input: $i) { secret errors { message } } }', {
    i: { name: 'first', ownerId: copilot.teams.edges[0]!.node.id, modelIds: [modelInstall.model.id] },
  })
  return { secret: keyCreate.secret, model: catalog.name }
}

async function newAccount(page: Page, name: string, credits?: string) {
  await page.goto('/sa/accounts?new=account')
  await page.getByLabel(/^Name \*?$/).fill(name)
  await page.getByRole('combobox', { name: /Time zone/ }).fill('Auckland')
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await page.getByLabel(/E-mail of the first admin/).fill(`ann.${stamp()}@hooli.example`)
  if (credits !== undefined) await page.getByLabel('First credits').fill(credits)
  await page.getByRole('button', { name: 'Create account' }).click()
}

async function handOver(page: Page) {
  const link = (await page.getByTestId('invitation-link').textContent()) ?? ''
  await page.getByRole('checkbox', { name: /copied|links no more/ }).click()
  await page.getByRole('button', { name: 'Done' }).click()
  return link
}

test('a super admin grants an account its first credits and runs its pool; its calls follow', async ({ page, signIn, browser }) => {
  test.slow()
  await signIn('superAdmin')
  const name = `Hooli ${stamp()}`
  await newAccount(page, name)
  const link = await handOver(page)

  // Its first admin sets up a model and a key: without a pool every call is refused.
  const other = await browser.newContext()
  const guest = await other.newPage()
  await guest.goto(link)
  await guest.getByLabel('Your name').fill('Ann Lee')
  await guest.getByLabel('Choose a password').fill('tugboat lemon violin')
  await guest.getByRole('button', { name: /^Join Hooli/ }).click()
  await expect(guest).not.toHaveURL(/invitation/)
  const { secret, model } = await firstKey(guest)
  await expect.poll(async () => (await call(secret, model)).status).toBe(402)

  await expect(page.getByText('No pool yet: every call in Copilot is refused.')).toBeVisible()
  await page.getByRole('tab', { name: 'Credits' }).click()
  await expect(page.getByRole('heading', { name: 'No credits yet' })).toBeVisible()
  expect.soft(await violations(page), 'no credits').toEqual([])
  await page.getByRole('button', { name: 'Grant credits' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/Credits a cycle/).fill('5000')
  await expect(dialog.getByText('5,000 credits can then still be spent in this cycle.')).toBeVisible()
  expect.soft(await violations(page), 'first credits').toEqual([])
  await dialog.getByRole('button', { name: `Grant to ${name}` }).click()
  await expect(page.getByRole('heading', { name: 'Copilot pool' })).toBeVisible()
  await expect(page.getByText('Every month, on the 1st, at midnight in Pacific/Auckland')).toBeVisible()
  await expect.poll(async () => (await call(secret, model)).status).toBe(200)

  // Quarters with rollover, told before they are saved.
  await page.getByRole('button', { name: 'Settings', exact: true }).click()
  await dialog.getByRole('combobox', { name: 'Renews' }).click()
  await page.getByRole('option', { name: 'Every three months' }).click()
  await dialog.getByLabel('On day').fill('15')
  await dialog.getByLabel(/^Carried over at most/).fill('750')
  await expect(dialog.getByText(/Of January, April, July and October; 1 to 28\. At midnight in Pacific\/Auckland\./)).toBeVisible()
  await expect(dialog.getByText(/The current cycle now ends on/)).toBeVisible()
  // When admins are told is theirs to say.
  await expect(dialog.getByLabel(/^Tell admins at/)).toHaveCount(0)
  expect.soft(await violations(page), 'settings').toEqual([])
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Every three months, on the 15th, at midnight in Pacific/Auckland')).toBeVisible()
  await expect(page.getByText('What is left, 750 credits at most')).toBeVisible()

  // More for a while ends by the account's clock.
  await page.getByRole('button', { name: 'Raise for a while' }).click()
  await expect(dialog.getByText('In Pacific/Auckland.')).toBeVisible()
  await dialog.getByLabel('By how many credits').fill('300')
  await dialog.getByRole('button', { name: 'Raise limit' }).click()
  await expect(page.getByRole('list', { name: 'Temporary increases' }).getByText(/11:59/)).toBeVisible()

  await page.getByRole('button', { name: 'Freeze', exact: true }).click()
  await dialog.getByLabel('Why').fill('The invoice is open.')
  await dialog.getByRole('button', { name: 'Freeze', exact: true }).click()
  await expect(page.getByText('Frozen: new calls are refused')).toBeVisible()
  await expect.poll(async () => (await call(secret, model)).status).toBe(402)
  await page.getByRole('button', { name: 'Resume', exact: true }).click()
  await dialog.getByRole('button', { name: 'Resume', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Freeze', exact: true })).toBeVisible()
  await expect.poll(async () => (await call(secret, model)).status).toBe(200)

  await page.getByRole('tab', { name: 'History' }).click()
  await expect(page.getByText('let it go on after a freeze')).toBeVisible()
  await expect(page.getByText('raised it for a while')).toBeVisible()
  expect.soft(await violations(page), 'pool').toEqual([])

  // The account's admin sees the pool, and gives themselves nothing.
  await guest.goto(`/a/${name.toLowerCase().replace(' ', '-')}/copilot/budgets`)
  await expect(guest.getByRole('row', { name: new RegExp(name) })).toContainText('5,000')
  await expect(guest.getByRole('button', { name: /^Change the limit of Hooli/ })).toHaveCount(0)
  await other.close()

  // Without its pool the account is as it was.
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Remove pool' }).click()
  await dialog.getByRole('button', { name: 'Remove pool' }).click()
  await expect(page.getByRole('heading', { name: 'No credits yet' })).toBeVisible()
  await expect.poll(async () => (await call(secret, model)).status).toBe(402)
})

test('an account is made with its first credits, in one step or not at all', async ({ page, signIn }) => {
  await signIn('superAdmin')
  const name = `Pied ${stamp()}`
  await newAccount(page, name, 'many')
  await expect(page.getByText('Enter an amount such as 100000, or leave it empty.')).toBeVisible()
  await page.getByLabel('First credits').fill('90000')
  await page.getByRole('button', { name: 'Create account' }).click()
  await handOver(page)
  await expect(page.getByText('90,000 are left of this cycle.')).toBeVisible()
  await page.getByRole('button', { name: 'Manage' }).click()
  await expect(page.getByRole('heading', { name: 'Copilot pool' })).toBeVisible()
})
