import { expect, test } from './fixture'
import { call, console as plane, signedIn } from './server'

test('a provider and a model are added in Console, and the model can be called', async ({ page, signIn }) => {
  // The demo's upstream: its address is what the demo's own provider has.
  const query = await signedIn('admin')
  const { console } = await query<{ console: { providers: { edges: { node: { baseUrl: string } }[] } } }>('{ console { providers(first: 1) { edges { node { baseUrl } } } } }')
  const baseUrl = console.providers.edges[0]!.node.baseUrl
  const name = `Upstream ${Date.now()}`
  const model = `model-${Date.now()}`

  await signIn('admin')
  await page.goto('/a/acme/console/models')
  await page.getByRole('button', { name: 'Add provider' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByLabel('Base URL').fill('ftp://nowhere')
  await page.getByRole('button', { name: 'Add in Console' }).click()
  await expect(page.getByText('Enter an address such as')).toBeVisible()
  await page.getByLabel('Base URL').fill(baseUrl)
  await page.getByLabel('Key').fill('sk-test-1234')
  await page.getByRole('button', { name: 'Add in Console' }).click()

  // The next step is a model of it.
  await expect(page.getByRole('heading', { name: 'Add model' })).toBeVisible()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(model)
  await page.getByLabel("Provider's name for it").fill('demo-small')
  await page.getByRole('textbox', { name: 'Input', exact: true }).fill('0.40')
  await page.getByRole('textbox', { name: 'Output' }).fill('1.20')
  await page.getByRole('button', { name: 'Add in Console' }).click()
  await expect(page.getByRole('row', { name: model })).toContainText('$0.40 / $1.20')
  await expect(page.getByText(name).first()).toBeVisible()
  await expect(page.getByRole('listitem').filter({ hasText: name })).toContainText('key …1234')

  // Off is refused at once, on is let through: for a key that may call it.
  const { console: root } = await query<{ console: { id: string; models: { edges: { node: { id: string; name: string } }[] } } }>('{ console { id models(first: 100) { edges { node { id name } } } } }')
  const id = root.models.edges.find((e) => e.node.name === model)!.node.id
  const { keyCreate } = await query<{ keyCreate: { secret: string } }>('mutation ($input: KeyCreateInput!) { keyCreate(input: $input) { secret errors { message } } }', { input: { name: model, ownerId: root.id, modelIds: [id] } })
  expect((await call(keyCreate.secret, model)).status).toBe(200)
  await page.getByLabel(`${model} on`).click()
  await expect(page.getByLabel(`${model} on`)).not.toBeChecked()
  await expect.poll(async () => (await call(keyCreate.secret, model)).status).toBeGreaterThanOrEqual(400)
  expect((await call(keyCreate.secret, plane.model)).status).toBe(403)
})

test('a catalogue model is switched on and off in Copilot, with undo', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/copilot/models')
  const toggle = page.getByLabel('claude-opus on', { exact: true })
  await expect(toggle).not.toBeChecked()
  await toggle.click()
  await expect(page.getByRole('radiogroup', { name: 'Who may use it?' })).toBeVisible()
  await page.getByRole('button', { name: 'Switch on in Copilot' }).click()
  await expect(toggle).toBeChecked()
  await toggle.click()
  await expect(page.getByText('refused at once')).toBeVisible()
  await page.getByRole('button', { name: 'Switch off in Copilot' }).click()
  await expect(toggle).not.toBeChecked()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(toggle).toBeChecked()
  await toggle.click()
  await page.getByRole('button', { name: 'Switch off in Copilot' }).click()
  await expect(toggle).not.toBeChecked()
})

test('a super admin publishes a price, and the account sees it in credits', async ({ page, signIn }) => {
  await signIn('superAdmin')
  await page.goto('/sa/models')
  await page.getByRole('button', { name: /Change the price of mistral-large/ }).click()
  await page.getByRole('textbox', { name: 'Input', exact: true }).fill('2.25')
  await expect(page.getByRole('row', { name: /^Input/ })).toContainText('2,250')
  await page.getByRole('button', { name: 'Publish price' }).click()
  await expect(page.getByRole('row', { name: /mistral-large/ })).toContainText('$2.25')
  await expect(page.getByRole('row', { name: /mistral-large/ })).toContainText('2,250')
  await page.goto('/sa/providers')
  await page.getByRole('button', { name: 'Test' }).first().click()
  await expect(page.getByText(/Works: \d+ models/)).toBeVisible()
})
