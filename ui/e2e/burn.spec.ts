import { choose, expect, test } from './fixture'
import { call, console as plane } from './server'

test('an admin watches a budget burn live, raises its limit, and the next call passes', async ({ page, signIn }) => {
  await signIn('admin')
  const name = `burn-${Date.now()}`

  // A key with a limit of its own that a handful of calls use up.
  await page.getByRole('link', { name: 'Virtual keys' }).click()
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await choose(page, 'Owner', 'Payments')
  await choose(page, 'Models', plane.model)
  await page.getByLabel('Limit, $').fill('0.0002')
  await page.getByRole('button', { name: 'Create in Console' }).click()
  const secret = (await page.getByTestId('secret').textContent()) ?? ''
  expect(secret).toMatch(/^ck_console_/)
  await page.getByRole('checkbox', { name: 'I have stored the secret' }).click()
  await page.getByRole('button', { name: 'Done' }).click()

  await page.getByRole('link', { name: 'Budgets', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Live' })).toBeVisible()
  await page.getByRole('button', { name: 'Open Payments' }).click()
  const row = page.getByRole('row', { name })
  await expect(row).toContainText('$0.00 of')
  await expect(row).toContainText('0%')

  // Calls over HTTP; the page is never reloaded.
  expect((await call(secret, plane.model)).status).toBe(200)
  await expect(row.getByRole('meter')).not.toHaveAttribute('aria-valuenow', '0')

  let refused = await call(secret, plane.model)
  for (let i = 0; i < 40 && refused.status === 200; i++) refused = await call(secret, plane.model)
  expect(refused.status).toBe(402)
  expect(JSON.stringify(refused.body)).toContain(name)
  // The outlook depends on how much of the month is left; what was used doesn't.
  await expect.poll(async () => Number(await row.getByRole('meter').getAttribute('aria-valuenow'))).toBeGreaterThan(50)

  // Who spent it on what.
  await row.click({ position: { x: 300, y: 10 } })
  const peek = page.getByRole('dialog')
  await expect(peek.getByRole('heading', { name: 'Latest receipts' })).toBeVisible()
  await expect(peek.getByText(plane.model).first()).toBeVisible()
  await expect(peek.getByRole('list', { name: 'Who spent in the last minute' })).toContainText(name)
  await expect(peek.getByRole('heading', { name: /in the last minute/ })).toContainText('$0.00')
  await peek.getByRole('list', { name: 'Latest receipts' }).getByRole('button').first().click()
  const receipt = page.getByRole('dialog', { name: 'Receipt' })
  await expect(receipt.getByText('Lines of this call')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(receipt).toBeHidden()
  await page.keyboard.press('Escape')

  await row.getByRole('button', { name: `Change the limit of ${name}` }).click()
  const limit = page.getByLabel(`Limit of ${name} in US dollars`)
  await limit.fill('-1')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Enter an amount such as')).toBeVisible()
  await limit.fill('0.5')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(row).toContainText('$0.50')
  await expect(row).not.toContainText('Blocked now')
  expect((await call(secret, plane.model)).status).toBe(200)
})

test('a budget is raised with the keyboard alone', async ({ page, signIn }) => {
  await signIn('admin')
  await expect(page.getByRole('heading', { name: 'Needs a look' })).toBeVisible()
  await page.keyboard.press('g')
  await page.keyboard.press('b')
  await expect(page.getByRole('row', { name: /Underwriting Team/ })).toBeVisible()
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  const row = page.locator('[role=row]:focus')
  await expect(row).toBeVisible()
  for (let i = 0; i < 40 && !(await row.textContent())?.startsWith('Underwriting'); i++) await page.keyboard.press('ArrowDown')
  const before = await page.getByRole('button', { name: /Change the limit of Underwriting/ }).textContent()
  await page.keyboard.press('e')
  await expect(page.getByLabel(/^Limit of Underwriting/)).toBeFocused()
  await page.keyboard.type(before?.includes('161') ? '160' : '161')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('row', { name: /Underwriting Team/ })).toContainText(before?.includes('161') ? '$160.00' : '$161.00')
  await expect(row).toContainText('Underwriting')
  // Folding, and single keys that are inert in fields.
  await page.keyboard.press('ArrowRight')
  await expect(row).toHaveAttribute('aria-expanded', 'true')
  await page.keyboard.press('ArrowLeft')
  await expect(row).toHaveAttribute('aria-expanded', 'false')
  await page.keyboard.press('/')
  await page.keyboard.type('gbj')
  await expect(page.getByLabel('Filter by name')).toHaveValue('gbj')
})
