import { choose, expect, test, violations } from './fixture'
import { call, console as plane } from './server'

test('an admin freezes a budget with a reason, callers read it, and resumes it', async ({ page, signIn }) => {
  await signIn('admin')
  const name = `freeze-${Date.now()}`
  await page.getByRole('link', { name: 'Virtual keys' }).click()
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await choose(page, 'Owner', 'Payments')
  await choose(page, 'Models', plane.model)
  await page.getByLabel('Limit, $').fill('5')
  await page.getByRole('button', { name: 'Create in Console' }).click()
  const secret = (await page.getByTestId('secret').textContent()) ?? ''
  await page.getByRole('checkbox', { name: 'I have stored the secret' }).click()
  await page.getByRole('button', { name: 'Done' }).click()
  expect((await call(secret, plane.model)).status).toBe(200)

  await page.getByRole('link', { name: 'Budgets', exact: true }).click()
  await page.getByRole('button', { name: 'Open Payments' }).click()
  const row = page.getByRole('row', { name })
  await row.click({ position: { x: 300, y: 10 } })
  const peek = page.getByRole('dialog')
  await peek.getByRole('button', { name: 'Freeze', exact: true }).click()
  const ask = page.getByRole('dialog', { name: `Freeze the budget of ${name}?` })
  await expect(ask.getByRole('button', { name: 'Freeze', exact: true })).toBeDisabled()
  await ask.getByLabel('Why').fill('A loop that ran away.')
  await ask.getByRole('button', { name: 'Freeze', exact: true }).click()
  await expect(peek.getByText('Frozen: new calls are refused')).toBeVisible()
  await expect(peek.getByText('A loop that ran away.')).toBeVisible()
  expect(await violations(page)).toEqual([])

  const refused = await call(secret, plane.model)
  expect(refused.status).toBe(402)
  expect(JSON.stringify(refused.body)).toContain('A loop that ran away.')
  await page.keyboard.press('Escape')
  await expect(row).toContainText('Frozen')

  await row.click({ position: { x: 300, y: 10 } })
  await peek.getByRole('button', { name: 'Resume', exact: true }).click()
  await page.getByRole('dialog', { name: `Resume the budget of ${name}?` }).getByRole('button', { name: 'Resume', exact: true }).click()
  await expect(peek.getByRole('button', { name: 'Freeze', exact: true })).toBeVisible()
  expect((await call(secret, plane.model)).status).toBe(200)
})

test('a statement is found, read and fits a printed page', async ({ page, signIn }) => {
  await signIn('admin')
  await page.getByRole('link', { name: 'Statements' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Statements' })).toBeVisible()
  const rows = page.getByRole('table', { name: 'Statements' }).getByRole('row')
  await expect(rows.nth(1)).toBeVisible()
  expect(await violations(page)).toEqual([])

  await page.getByRole('link', { name: 'Risk', exact: true }).first().click()
  await expect(page.getByRole('heading', { level: 1, name: 'Risk' })).toBeVisible()
  await expect(page.getByText('It never changes')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'By model' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Print' })).toBeVisible()
  expect(await violations(page)).toEqual([])

  await page.emulateMedia({ media: 'print' })
  await expect(page.getByRole('button', { name: 'Print' })).toBeHidden()
  await expect(page.getByRole('link', { name: 'Budgets', exact: true })).toBeHidden()
  const height = await page.getByRole('article').evaluate((e) => e.getBoundingClientRect().height)
  expect(height).toBeLessThan(1050)
})
