import { expect, test } from './fixture'
import { emails, password } from './server'

test('a wrong password says so under the field and tells nothing else', async ({ page }) => {
  await page.goto('/signin')
  await page.getByLabel('E-mail').fill(emails.admin)
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  const said = await page.getByRole('alert').textContent()
  await page.getByLabel('E-mail').fill('nobody@acme.example')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toHaveText(said ?? '')
})

test('signing in leads on to the page that was asked for, signing out closes it', async ({ page }) => {
  await page.goto('/a/acme/copilot/budgets')
  await expect(page).toHaveURL(/signin\?next=/)
  await page.getByLabel('E-mail').fill(emails.admin)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Credit budgets' })).toBeVisible()
  await page.getByRole('button', { name: /^You:/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.goto('/a/acme/copilot/budgets')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a link never leads to another site after signing in', async ({ page }) => {
  for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example']) {
    await page.context().clearCookies()
    await page.goto(`/signin?next=${encodeURIComponent(next)}`)
    await page.getByLabel('E-mail').fill(emails.admin)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page).toHaveURL(/\/a\/acme\/console$/)
  }
})

test("another account's address doesn't open for a stranger", async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/globex/console/budgets')
  await expect(page.getByRole('heading', { name: 'There is nothing here for you' })).toBeVisible()
  await page.goto('/sa/accounts')
  await expect(page.getByRole('heading', { name: "You need a super admin's role" })).toBeVisible()
})

test('the palette finds pages, and Tab widens to both planes', async ({ page, signIn }) => {
  await signIn('admin')
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox')).toBeFocused()
  await page.keyboard.type('credit')
  await expect(page.getByText('Nothing is called that.')).toBeVisible()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/copilot\/budgets/)
  await expect(page).toHaveTitle('Credit budgets · Copilot · Cockpit')
})

test('GraphiQL runs a query and a subscription with the session', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/graphiql')
  await page.getByRole('button', { name: /Execute query/ }).click()
  await expect(page.locator('.result-window')).toContainText('Acme Corp')
})
