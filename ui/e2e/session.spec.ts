import { enter, expect, test } from './fixture'
import { emails, password } from './server'

test('the address is asked for first, and a wrong password says so under the field and tells nothing else', async ({ page }) => {
  await page.goto('/sign-in')
  await expect(page.getByLabel('Password', { exact: true })).toHaveCount(0)
  await page.getByLabel('E-mail').fill('nobody')
  await page.keyboard.press('Enter')
  await expect(page.getByText("This doesn't look like an e-mail address.")).toBeVisible()
  await enter(page, emails.admin, 'wrong')
  const said = await page.getByRole('alert').textContent()
  await page.getByRole('button', { name: 'Change' }).click()
  await enter(page, 'nobody@acme.example', 'wrong')
  await expect(page.getByRole('alert')).toHaveText(said ?? '')
})

test('signing in with the keyboard alone', async ({ page }) => {
  await page.goto('/sign-in')
  await expect(page.getByLabel('E-mail')).toBeFocused()
  await page.keyboard.type(emails.admin)
  await page.keyboard.press('Enter')
  await expect(page.getByLabel('Password', { exact: true })).toBeFocused()
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/a\/acme\/console$/)
})

test('what went wrong at an identity provider is said in words, with the request id', async ({ page }) => {
  await page.goto('/sign-in?error=sso_unknown_user&request=req_01TEST')
  await expect(page.getByRole('alert')).toContainText('Ask an admin for an invitation')
  await expect(page.getByRole('alert')).toContainText('req_01TEST')
  await page.goto('/sign-in?error=%3Cimg%20src%3Dx%3E&request=1e3')
  await expect(page.getByRole('alert')).toContainText("Signing in didn't work")
  await expect(page.getByRole('alert')).toContainText('1e3')
})

test('a forgotten password is answered the same whether the address is known or not', async ({ page }) => {
  const said: (string | null)[] = []
  for (const email of [emails.member, 'nobody@nowhere.example']) {
    await page.goto('/sign-in')
    await page.getByLabel('E-mail').fill(email)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Forgot your password?' }).click()
    await expect(page.getByLabel('E-mail')).toHaveValue(email)
    await page.getByRole('button', { name: 'Send the link' }).click()
    await expect(page.getByRole('heading', { name: 'Look into your mail' })).toBeVisible()
    said.push((await page.getByRole('status').first().textContent())?.replace(email, '') ?? null)
  }
  expect(said[0]).toBe(said[1])
  await page.goto('/reset?token=nothing')
  await page.getByLabel('New password').fill('short')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByText('At least 12 characters.', { exact: true })).toBeVisible()
  await page.getByLabel('New password').fill('tugboat lemon violin')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByRole('heading', { name: "This link doesn't work any more" })).toBeVisible()
})

test('signing in leads on to the page that was asked for, signing out closes it', async ({ page }) => {
  await page.goto('/a/acme/copilot/budgets')
  await expect(page).toHaveURL(/sign-in\?next=/)
  await enter(page, emails.admin, password)
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
    await enter(page, emails.admin, password)
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
  // What runs is what the editor holds, and it takes its time to come.
  await expect(page.locator('.graphiql-query-editor')).toContainText('query Me')
  await page.getByRole('button', { name: /Execute query/ }).click()
  await expect(page.locator('.result-window')).toContainText('Acme Corp')
})

test('the bare address of an account leads on to what one may see', async ({ page, signIn }) => {
  await signIn('member')
  await page.goto('/a/acme')
  await expect(page).toHaveURL(/\/me$/)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
})
