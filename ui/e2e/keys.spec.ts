import { choose, expect, test } from './fixture'
import { call, console as plane } from './server'

test('a key is created, copied once, used and revoked', async ({ page, signIn }) => {
  await signIn('admin')
  const name = `key-${Date.now()}`
  await page.goto('/a/acme/console/keys')
  await expect(page.getByRole('table')).toBeVisible()
  await page.keyboard.press('c')

  // Errors stand under their fields.
  await page.getByRole('button', { name: 'Create in Console' }).click()
  await expect(page.getByText('Give it a name')).toBeVisible()
  await expect(page.getByText('Choose at least one model')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeFocused()

  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await choose(page, 'Owner', 'Claims')
  await choose(page, 'Models', plane.model)
  await page.getByRole('button', { name: 'Create in Console' }).click()

  await page.getByRole('button', { name: 'Copy secret' }).click()
  const secret = await page.evaluate(() => navigator.clipboard.readText())
  await expect(page.getByTestId('secret')).toHaveText(secret)
  await expect(page.getByRole('button', { name: 'Done' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('secret')).toBeVisible()
  await page.getByRole('checkbox', { name: 'I have stored the secret' }).click()
  await page.getByRole('button', { name: 'Done' }).click()

  expect((await call(secret, plane.model)).status).toBe(200)
  await page.getByLabel('Filter by name or owner').fill(name)
  await page.getByRole('button', { name, exact: true }).click()
  await expect(page.getByText('Limits that apply to this key')).toBeVisible()
  await expect(page.getByRole('dialog').getByRole('meter')).not.toHaveCount(0)
  await page.getByRole('button', { name: 'Close' }).click()

  await page.getByRole('button', { name: `Revoke ${name}` }).click()
  await expect(page.getByText("can't be brought back")).toBeVisible()
  await page.getByRole('button', { name: 'Revoke in Console' }).click()
  await expect(page.getByRole('row', { name })).toContainText('Revoked')
  await expect.poll(async () => (await call(secret, plane.model)).status).toBe(401)
})

test('a member sees their own budget and makes a key for their own seat', async ({ page, signIn }) => {
  await signIn('member')
  await expect(page).toHaveURL(/\/me$/)
  await page.getByRole('button', { name: 'New key in Console' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(`mine-${Date.now()}`)
  await expect(page.getByRole('combobox', { name: 'Owner' })).toHaveCount(0)
  await choose(page, 'Models', plane.model)
  await page.getByRole('button', { name: 'Create in Console' }).click()
  const secret = (await page.getByTestId('secret').textContent()) ?? ''
  expect((await call(secret, plane.model)).status).toBe(200)
  await page.goto('/a/acme/console/budgets')
  await expect(page.getByRole('heading', { name: "You need an admin's or auditor's role in Console" })).toBeVisible()
})

test('an auditor sees keys, and why they make none', async ({ page, signIn }) => {
  await signIn('auditor')
  await page.goto('/a/acme/console/keys')
  await expect(page.getByRole('table')).toBeVisible()
  await expect(page.getByRole('button', { name: 'New key' })).toHaveCount(0)
  await page.keyboard.press('c')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.getByRole('button', { name: "Why can't I make virtual keys?" }).click()
  await expect(page.getByRole('dialog')).toContainText('Needs an admin')
})
