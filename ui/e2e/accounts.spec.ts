import { enter, expect, test, violations } from './fixture'
import { call, console as plane, emails, password, url } from './server'

const stamp = () => Date.now().toString(36)

test('a super admin makes an account and hands over the link of its first admin, once', async ({ page, signIn, browser }) => {
  await signIn('superAdmin')
  const name = `Initech ${stamp()}`
  await page.goto('/sa/accounts')
  await expect(page.getByRole('button', { name: 'New account' })).toBeVisible()
  await page.waitForLoadState('networkidle')
  await page.keyboard.press('c')

  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByText('Enter what the account is called.')).toBeVisible()
  await expect(page.getByLabel(/^Name \*?$/)).toBeFocused()
  await page.getByLabel(/^Name \*?$/).fill(name)
  // The name for addresses follows until somebody writes another one.
  await expect(page.getByLabel(/Name in addresses/)).toHaveValue(name.toLowerCase().replace(' ', '-'))
  await page.getByLabel(/E-mail of the first admin/).fill(`bill.${stamp()}@initech.example`)
  expect.soft(await violations(page), 'new account').toEqual([])
  await page.getByRole('combobox', { name: /Time zone/ }).fill('lisbon')
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Create account' }).click()

  const link = (await page.getByTestId('invitation-link').textContent()) ?? ''
  expect(new URL(link).origin).toBe(url)
  await expect(page.getByRole('button', { name: 'Done' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('invitation-link')).toBeVisible()
  await page.getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Done' }).click()
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  await expect(page.getByText('Europe/Lisbon')).toBeVisible()
  await page.reload()
  await expect(page.getByText(link)).toHaveCount(0)

  // Whoever has it can take the account's first seat up.
  const other = await browser.newContext()
  const guest = await other.newPage()
  await guest.goto(link)
  await expect(guest.getByRole('heading', { name: `Join ${name}` })).toBeVisible()
  await other.close()

  // Found again by search and by status.
  await page.goto('/sa/accounts')
  await page.getByLabel('Search names and addresses').fill(name)
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('combobox', { name: 'Status' }).click()
  await page.getByRole('option', { name: 'Suspended' }).click()
  await expect(page.getByRole('heading', { name: 'No account matches' })).toBeVisible()
})

test('an account is suspended with a reason and resumed; its people and keys follow at once', async ({ page, signIn, browser }) => {
  await signIn('superAdmin')
  await page.goto('/sa/accounts')
  await page.getByRole('link', { name: 'Acme Corp' }).click()
  await page.getByRole('tab', { name: 'Danger zone' }).click()
  expect((await call(plane.key, plane.model)).status).toBe(200)
  await page.getByRole('button', { name: 'Suspend…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('people are signed out')).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Suspend account' })).toBeDisabled()
  await dialog.getByLabel(/Reason/).fill('Invoice 12 is open')
  expect.soft(await violations(page), 'suspend').toEqual([])
  await dialog.getByRole('button', { name: 'Suspend account' }).click()
  try {
    await expect(page.getByText('Invoice 12 is open')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Enter account…' })).toHaveCount(0)
    await expect.poll(async () => (await call(plane.key, plane.model)).status).not.toBe(200)
    const other = await browser.newContext()
    const guest = await other.newPage()
    await guest.goto('/sign-in')
    await enter(guest, emails.admin, password)
    await expect(guest.getByRole('alert')).toBeVisible()
    await other.close()
  } finally {
    await page.getByRole('button', { name: 'Resume account' }).click()
  }
  await expect(page.getByRole('button', { name: 'Suspend…' })).toBeVisible()
  await expect(page.getByText('Invoice 12 is open')).toHaveCount(0)
  await expect.poll(async () => (await call(plane.key, plane.model)).status).toBe(200)
})

test('strict dispatch is switched on and off, and calls go on', async ({ page, signIn }) => {
  await signIn('superAdmin')
  await page.goto('/sa/accounts')
  await page.getByRole('link', { name: 'Acme Corp' }).click()
  const strict = page.getByRole('switch', { name: 'Strict dispatch for Acme Corp' })
  await expect(strict).not.toBeChecked()
  await strict.click()
  await expect(strict).toBeChecked()
  expect.soft(await violations(page), 'account').toEqual([])
  await page.reload()
  await expect(strict).toBeChecked()
  expect((await call(plane.key, plane.model)).status).toBe(200)
  await strict.focus()
  await page.keyboard.press('Space')
  await expect(strict).not.toBeChecked()
})

test('closing asks for the name, and offers export and deletion from then on', async ({ page, signIn }) => {
  await signIn('superAdmin')
  const name = `Vandelay ${stamp()}`
  await page.goto('/sa/accounts?new=account')
  await page.getByLabel(/^Name \*?$/).fill(name)
  await page.getByLabel(/E-mail of the first admin/).fill(`art.${stamp()}@vandelay.example`)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('checkbox', { name: /copied|links no more/ }).click()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('tab', { name: 'Danger zone' }).click()

  // A product goes and comes back.
  await page.getByRole('switch', { name: `Copilot for ${name}` }).click()
  await page.getByRole('button', { name: 'Switch Copilot off' }).click()
  await expect(page.getByRole('switch', { name: `Copilot for ${name}` })).not.toBeChecked()
  await page.getByRole('switch', { name: `Console for ${name}` }).click()
  await expect(page.getByText('An account uses at least one product')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Switch Console off' })).toBeDisabled()
  await page.getByRole('button', { name: 'Cancel' }).click()

  await page.getByRole('button', { name: 'Close account…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/Reason/).fill('They have left')
  await expect(dialog.getByRole('button', { name: 'Close account', exact: true })).toBeDisabled()
  await dialog.getByLabel(/to confirm/).fill(name)
  await dialog.getByRole('button', { name: 'Close account', exact: true }).click()
  await expect(page.getByRole('link', { name: 'Export everything' })).toHaveAttribute('href', /^\/export\/accounts\/acc_/)
  await page.getByRole('button', { name: 'Delete account…' }).click()
  await expect(dialog.getByText('Nobody can bring it back')).toBeVisible()
  await expect(dialog.getByRole('button', { name: 'Delete for good' })).toBeDisabled()
  await dialog.getByLabel(/to confirm/).fill(name)
  await dialog.getByRole('button', { name: 'Delete for good' }).click()
  await expect(page.getByRole('status').getByText('Being deleted').or(page.getByText(/^Deleted /).first()).first()).toBeVisible()
})

test('staff are invited to the platform', async ({ page, signIn }) => {
  await signIn('superAdmin')
  await page.goto('/sa/staff')
  await expect(page.getByRole('table').getByText('Super admin')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Invite staff' })).toBeVisible()
  await page.keyboard.press('c')
  const email = `audrey.${stamp()}@cockpit.example`
  await page.getByLabel(/^E-mail/).fill(email)
  await page.getByRole('radio', { name: /Platform auditor/ }).click()
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await expect(page.getByTestId('invitation-link')).toContainText(url)
  await page.getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Invitations', exact: true }).click()
  await expect(page.getByRole('row', { name: email })).toContainText('Waiting')
})
