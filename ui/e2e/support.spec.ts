import { enter, expect, test, violations } from './fixture'
import { emails, password, signedIn } from './server'

test('staff enter an account in a red frame, are seen there, and stop', async ({ page, signIn }) => {
  await signIn('superAdmin')
  await page.goto('/sa/accounts')
  await page.getByRole('link', { name: 'Acme Corp' }).click()
  await page.getByRole('button', { name: 'Enter account…' }).click()
  await page.getByRole('button', { name: 'Enter as support' }).click()
  await expect(page.getByText('at least 10 characters')).toBeVisible()
  const reason = `Ticket ${Date.now()}: why are calls refused?`
  await page.getByLabel(/Reason/).fill(reason)
  expect.soft(await violations(page), 'enter').toEqual([])
  await page.getByRole('button', { name: 'Enter as support' }).click()

  // The whole page says where one is, and so does its title.
  const banner = page.getByRole('region', { name: 'Support access' })
  await expect(banner).toContainText('you are in Acme Corp as support')
  await expect(banner).toContainText('reads only')
  await expect(banner).toContainText(reason)
  await expect(page.getByTestId('support-frame')).toBeVisible()
  await expect(page).toHaveTitle(/^Support in Acme Corp/)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  expect.soft(await violations(page), 'inside').toEqual([])
  // Nothing can be changed, and nothing of one's own is there.
  await page.goto('/a/acme/settings')
  await expect(page.getByText('Admins of the account change it')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Save settings' })).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'My profile' })).toHaveCount(0)
  await page.goto('/a/acme/settings/programs')
  await expect(page.getByRole('heading', { name: 'Programs' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'New program' })).toHaveCount(0)

  // The account's admin sees it meanwhile.
  const query = await signedIn('admin')
  const { account } = await query<{ account: { supportAccesses: { edges: { node: { reason: string; active: boolean } }[] } } }>('{ account { supportAccesses(first: 5) { edges { node { reason active } } } } }')
  expect(account.supportAccesses.edges.map((e) => e.node)).toContainEqual({ reason, active: true })

  await banner.getByRole('button', { name: 'Stop' }).click()
  await expect(page).toHaveURL(/\/sa\/accounts\/acc_.*tab=support/)
  await expect(page.getByTestId('support-frame')).toHaveCount(0)
  await expect(page.getByRole('row', { name: new RegExp(reason.slice(0, 20)) })).toContainText('Ended by')
})

test('an admin of the account sees a support access and ends it; whoever was inside is out', async ({ page, signIn, browser }) => {
  const other = await browser.newContext()
  const staff = await other.newPage()
  await staff.goto('/sign-in')
  await enter(staff, emails.superAdmin, password)
  await expect(staff).not.toHaveURL(/sign-in/)
  await staff.goto('/sa/accounts')
  await staff.getByRole('link', { name: 'Acme Corp' }).click()
  await staff.getByRole('button', { name: 'Enter account…' }).click()
  await staff.getByLabel(/Reason/).fill('Looking for the reason of refused calls')
  await staff.getByRole('button', { name: 'Enter as support' }).click()
  await expect(staff.getByTestId('support-frame')).toBeVisible()

  await signIn('admin')
  await page.goto('/a/acme/console')
  const notice = page.getByRole('region', { name: 'Support access' })
  await expect(notice).toContainText('of the platform is in this account as support')
  expect.soft(await violations(page), 'notice').toEqual([])
  await notice.getByRole('link', { name: 'Look' }).click()
  await expect(page.getByRole('heading', { name: 'Support', exact: true })).toBeVisible()
  await page.getByRole('table').getByRole('button', { name: /^End now/ }).first().click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByText('out within a second')).toBeVisible()
  await dialog.getByRole('button', { name: 'End now' }).click()
  await expect(page.getByText('Ended by Anna Keller').first()).toBeVisible()
  await expect(page.getByText('Inside now')).toHaveCount(0)
  await expect(notice).toHaveCount(0)

  // The next step of the staff leads back to their own pages.
  await staff.getByRole('link', { name: 'Virtual keys' }).click()
  await expect(staff).toHaveURL(/\/sa$/)
  await expect(staff.getByTestId('support-frame')).toHaveCount(0)
  await expect(staff.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await other.close()
})
