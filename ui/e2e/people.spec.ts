import { choose, enter, expect, test, violations } from './fixture'
import { password } from './server'

const stamp = () => Date.now().toString(36)

test('somebody is invited, takes the invitation up, and signs in', async ({ page, signIn, browser }) => {
  await signIn('admin')
  const email = `grace.${stamp()}@acme.example`
  await page.goto('/a/acme/console/users')
  await page.getByRole('button', { name: 'Invite people' }).first().click()

  // What was pasted is read as people paste it, and what is no address is named.
  const emails = page.getByLabel('E-mail addresses')
  await emails.fill('nonsense')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  await expect(page.getByText('Not an e-mail address: nonsense')).toBeVisible()
  await expect(emails).toBeFocused()
  await emails.fill(`Grace Hopper <${email}>`)
  await choose(page, 'Team', 'Payments')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  const link = (await page.getByTestId('invitation-link').textContent()) ?? ''
  expect(link).toMatch(/^http.+\/invit.+/)
  await expect(page.getByRole('button', { name: 'Done' })).toBeDisabled()
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('invitation-link')).toBeVisible()
  await page.getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Done' }).click()

  await page.getByRole('button', { name: 'Invitations', exact: true }).click()
  await expect(page.getByRole('row', { name: email })).toContainText('Waiting')

  // Somebody else, elsewhere.
  const other = await browser.newContext()
  const guest = await other.newPage()
  await guest.goto(link)
  await expect(guest.getByRole('heading', { name: /Join Acme/ })).toBeVisible()
  await expect(guest.getByText('Payments')).toBeVisible()
  expect.soft(await violations(guest), 'invitation').toEqual([])
  const chosen = 'tugboat lemon violin'
  await guest.getByLabel('Your name').fill('Grace Hopper')
  await guest.getByLabel('Choose a password').fill('short')
  await guest.getByRole('button', { name: /^Join Acme/ }).click()
  await expect(guest.getByText('At least 12 characters.', { exact: true })).toBeVisible()
  await guest.getByLabel('Choose a password').fill(chosen)
  await guest.getByRole('button', { name: /^Join Acme/ }).click()
  await expect(guest).toHaveURL(/\/me$/)
  await expect(guest.getByRole('heading', { level: 1 })).toBeVisible()

  // The link works once.
  await guest.goto(link)
  await expect(guest.getByRole('heading', { name: "This invitation doesn't work any more" })).toBeVisible()
  await other.clearCookies()
  await guest.goto('/sign-in')
  await enter(guest, email, chosen)
  await expect(guest).toHaveURL(/\/me$/)
  await other.close()

  await page.goto('/a/acme/console/users')
  await page.getByLabel('Search names and e-mails').fill(email)
  await page.getByRole('button', { name: 'Grace Hopper' }).first().click()
  await expect(page.getByRole('dialog').getByText('Payments').first()).toBeVisible()
})

test('an invitation that is taken back is refused', async ({ page, signIn, browser }) => {
  await signIn('admin')
  const email = `eve.${stamp()}@acme.example`
  await page.goto('/a/acme/console/users?new=invitation')
  await page.getByLabel('E-mail addresses').fill(email)
  await choose(page, 'Team', 'Payments')
  await page.getByRole('button', { name: 'Invite', exact: true }).click()
  const link = (await page.getByTestId('invitation-link').textContent()) ?? ''
  await page.getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Done' }).click()
  await page.goto('/a/acme/console/users?tab=invitations')
  await page.getByRole('button', { name: `Actions for ${email}` }).click()
  await page.getByRole('menuitem', { name: 'Take back' }).click()
  await page.getByRole('button', { name: 'Take back' }).click()
  await expect(page.getByRole('row', { name: email })).toHaveCount(0)
  const other = await browser.newContext()
  const guest = await other.newPage()
  await guest.goto(link)
  await expect(guest.getByRole('heading', { name: "This invitation doesn't work any more" })).toBeVisible()
  await other.close()
})

test('a team is made, renamed, moved and deleted, with what that does said before', async ({ page, signIn }) => {
  await signIn('admin')
  const name = `Team ${stamp()}`
  await page.goto('/a/acme/console/teams')
  await expect(page.getByRole('table', { name: 'Teams' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'New team' })).toBeVisible()
  await page.keyboard.press('c')
  await page.getByRole('button', { name: 'Create in Console' }).click()
  await expect(page.getByText('Give it a name.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await choose(page, 'Organization', 'Technology')
  await page.getByRole('button', { name: 'Create in Console' }).click()

  const peek = page.getByRole('dialog', { name, exact: true })
  await expect(peek).toBeVisible()
  expect.soft(await violations(page), 'team').toEqual([])
  await peek.getByLabel('Description').fill('Tries things out')
  await peek.getByRole('button', { name: 'Save' }).click()
  await expect(peek.getByRole('button', { name: 'Save' })).toHaveCount(0)

  // A seat, so that deleting has an effect.
  await peek.getByRole('tab', { name: 'Users' }).click()
  await peek.getByRole('button', { name: 'Give somebody a seat' }).click()
  await choose(page, 'Person', 'Jonas Weber')
  await page.getByRole('button', { name: 'Give the seat' }).click()
  await expect(peek.getByRole('button', { name: 'Jonas Weber' })).toBeVisible()

  await peek.getByRole('tab', { name: 'Overview' }).click()
  await peek.getByRole('button', { name: 'Move' }).click()
  await page.getByRole('combobox', { name: 'To which organization?' }).click()
  await page.getByRole('option').first().click()
  const move = page.getByRole('button', { name: /^Move to / })
  const target = ((await move.textContent()) ?? '').replace('Move to ', '')
  await move.click()
  await expect(peek.getByText(`Team in ${target}`)).toBeVisible()

  await peek.getByRole('button', { name: 'Archive' }).click()
  await page.getByRole('dialog', { name: `Archive ${name}?` }).getByRole('button', { name: 'Archive' }).click()
  await expect(peek.getByText('Everything in it has been refused since')).toBeVisible()
  await peek.getByRole('button', { name: 'Restore' }).click()
  await expect(peek.getByText('Everything in it has been refused since')).toHaveCount(0)

  await peek.getByRole('button', { name: 'Delete' }).click()
  const ask = page.getByRole('dialog', { name: `Delete ${name}?` })
  await expect(ask.getByRole('list', { name: 'What happens' })).toContainText(/1 (person moves|seat ends)/)
  await expect(ask.getByRole('button', { name: 'Delete team' })).toBeDisabled()
  expect.soft(await violations(page), 'deleting').toEqual([])
  await ask.getByLabel(/^Type/).fill(name)
  await ask.getByRole('button', { name: 'Delete team' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(page.getByRole('row', { name })).toHaveCount(0)
})

test('a role is given and withdrawn at a team', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/teams')
  await page.getByRole('button', { name: 'Claims', exact: true }).click()
  const peek = page.getByRole('dialog', { name: 'Claims', exact: true })
  await peek.getByRole('tab', { name: 'Roles' }).click()
  await peek.getByRole('button', { name: 'Add an admin or auditor' }).click()
  await choose(page, 'Person', 'Jonas Weber')
  await page.getByRole('radio', { name: /Auditor/ }).click()
  await page.getByRole('button', { name: 'Make auditor' }).click()
  await expect(peek.getByText('Jonas Weber')).toBeVisible()
  await peek.getByRole('button', { name: 'Withdraw the role of Jonas Weber' }).click()
  await page.getByRole('button', { name: 'Withdraw role' }).click()
  await expect(peek.getByText('Jonas Weber')).toHaveCount(0)
})

test('somebody is deactivated, can not sign in, and is let in again', async ({ page, signIn, browser }) => {
  await signIn('admin')
  await page.goto('/a/acme/settings/people')
  const email = 'felix.braun@acme.example'
  await page.getByLabel('Search names and e-mails').fill(email)
  await page.getByRole('button', { name: 'Felix Braun' }).click()
  const peek = page.getByRole('dialog', { name: 'Felix Braun', exact: true })
  await peek.getByRole('button', { name: 'Deactivate' }).click()
  await page.getByRole('dialog', { name: /^Deactivate/ }).getByRole('button', { name: 'Deactivate' }).click()
  await expect(peek.getByText('Deactivated', { exact: true })).toBeVisible()

  const other = await browser.newContext()
  const guest = await other.newPage()
  await guest.goto('/sign-in')
  await enter(guest, email, password)
  await expect(guest.getByRole('alert').first()).toBeVisible()
  await expect(guest).toHaveURL(/sign-in/)

  await peek.getByRole('button', { name: 'Reactivate' }).click()
  await expect(peek.getByText('Active', { exact: true })).toBeVisible()
  await guest.goto('/sign-in')
  await enter(guest, email, password)
  await expect(guest).toHaveURL(/\/me$/)
  await other.close()
})
