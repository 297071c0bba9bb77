import type { Page } from '@playwright/test'
import { choose, expect, test, violations } from './fixture'
import { copilot, signedIn, url } from './server'

const stamp = Date.now().toString(36)
const name = `Press desk ${stamp}`
const [first, second] = [`Press desk A ${stamp}`, `Press desk B ${stamp}`]

/** A call of an agent over HTTP, with the member's own key. */
async function talk(agentId: string) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${copilot.key}`, 'Content-Type': 'application/json', 'X-Cockpit-Agent': agentId },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Write three lines about the new branch.' }] }),
  })
  return answer.status
}

/** Installs the listing at all of Copilot under a name, and publishes the agent's draft. */
async function install(page: Page, as: string) {
  await page.goto(`/a/acme/copilot/marketplace?q=${encodeURIComponent(name)}`)
  await page.getByRole('link', { name, exact: true }).click()
  await page.getByRole('button', { name: 'Install', exact: true }).click()
  const dialog = page.locator('[data-modal]')
  await choose(page, 'Where', 'All of Copilot')
  await dialog.getByLabel(/^Name in/).fill(as)
  await expect(dialog.getByRole('region', { name: 'After installing' })).toContainText('It begins as a draft')
  expect.soft(await violations(page), 'installing').toEqual([])
  await dialog.getByRole('button', { name: 'Install in Copilot' }).click()
  await expect(page.getByRole('heading', { level: 1, name: as })).toBeVisible()
  await expect(page.getByText('1 to fix before publishing')).toBeVisible()
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.locator('[data-modal]').getByRole('button', { name: 'Add Secrets' }).click()
  await page.locator('[data-modal]').getByRole('button', { name: 'Publish in Copilot' }).click()
  await expect(page.getByText('Version 1 live')).toBeVisible()
  return page.url().split('/').at(-1)!.split('?')[0]!
}

test('the platform lists, an account installs and allows, a member uses it and asks for more', async ({ page, signIn, context }) => {
  test.setTimeout(300_000)
  page.setDefaultTimeout(30_000)
  const become = async (who: 'admin' | 'member') => {
    await context.clearCookies()
    await signIn(who)
  }

  // A super admin lists a template, publishes it, and offers it to one account.
  await signIn('superAdmin')
  await page.goto('/sa/marketplace')
  await expect(page.getByRole('button', { name: 'New listing' })).toBeVisible()
  await page.keyboard.press('c')
  const dialog = page.locator('[data-modal]')
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name)
  await dialog.getByLabel('Summary').fill('Writes press releases in your words.')
  await dialog.getByLabel('Categories').fill('Writing, Press')
  await dialog.getByLabel('Purpose').fill('Writes press releases.')
  await dialog.getByLabel('Made for the model').click()
  await page.getByRole('option', { name: 'gpt-5-mini' }).click()
  await dialog.getByLabel('Instructions').fill('You write press releases. Three lines, no adjectives.')
  expect.soft(await violations(page), 'a new listing').toEqual([])
  await dialog.getByRole('button', { name: 'Save as draft' }).click()
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  const listing = page.url().split('/').at(-1)!
  await page.getByRole('button', { name: 'Submit for review' }).click()
  await dialog.getByRole('button', { name: 'Submit for review' }).click()
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await expect(page.getByText('People find it in the marketplace.')).toBeVisible()
  await page.getByRole('button', { name: 'Offer' }).click()
  await dialog.getByText('Named accounts').click()
  await dialog.getByLabel('Find accounts').fill('Acme')
  await dialog.getByRole('checkbox', { name: 'Acme Corp' }).click()
  await dialog.getByRole('button', { name: 'Save offer' }).click()
  await expect(dialog).toBeHidden()

  // The account's admin finds it, installs it twice, publishes, and allows one of them to a team.
  await become('admin')
  const ids = [await install(page, first), await install(page, second)] as const
  await page.goto('/a/acme/copilot/access?tab=grants')
  await page.getByRole('button', { name: 'Allow or deny' }).click()
  await dialog.getByRole('button', { name: 'Agent', exact: true }).click()
  await choose(page, 'Agent', first)
  await choose(page, 'Where', 'Advisory')
  await dialog.getByRole('button', { name: 'Allow in Copilot' }).click()
  await expect(dialog).toBeHidden()

  // A member of the team has the one, uses it, and asks for the other.
  await become('member')
  await page.goto(`/me/marketplace?q=${encodeURIComponent(name)}`)
  const card = page.getByRole('article').filter({ hasText: name })
  await expect(card).toContainText('You have it')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  const made = (as: string) => page.getByRole('listitem').filter({ hasText: as })
  await expect(made(first)).toContainText('You can use it')
  expect.soft(await violations(page), 'a listing, to a member').toEqual([])
  await expect(page.getByRole('button', { name: 'Install', exact: true })).toHaveCount(0)
  expect(await talk(ids[0])).toBe(200)
  expect(await talk(ids[1])).toBe(403)
  const reason = `For the branch in Lyon ${stamp}`
  await page.getByRole('button', { name: `Ask for it: ${second}` }).click()
  await dialog.getByLabel('Why').fill(reason)
  await dialog.getByRole('button', { name: 'Send request' }).click()
  await expect(dialog).toBeHidden()

  // The admin gives it in the inbox, the member has it, and says what they think of it.
  await become('admin')
  await page.goto('/a/acme/copilot/requests?kind=ACCESS')
  const request = page.getByRole('listitem').filter({ hasText: reason })
  await expect(request).toContainText(second)
  await request.getByRole('button', { name: 'Approve' }).click()
  await expect(request).toBeHidden()
  await become('member')
  await page.goto(`/me/marketplace/${listing}`)
  await expect(made(second)).toContainText('You can use it')
  await expect.poll(() => talk(ids[1])).toBe(200)
  await page.getByRole('button', { name: 'Rate it' }).click()
  await dialog.getByRole('radio', { name: '4 of five stars' }).check({ force: true })
  await dialog.getByLabel('In your words').fill('Three lines, indeed.')
  expect.soft(await violations(page), 'rating').toEqual([])
  await dialog.getByRole('button', { name: 'Save rating' }).click()
  await expect(page.getByText('Three lines, indeed.')).toBeVisible()

  // The books tell all of it.
  await become('admin')
  for (const [action, about] of [['listing.install', name], ['grant.set', first], ['request.approve', 'Jonas Weber'], ['listing.rate', name]] as const) {
    await page.goto(`/a/acme/copilot/audit?action=${action}`)
    await expect(page.locator('main [data-row-link]').filter({ hasText: about }).first(), action).toBeVisible()
  }
  await page.goto('/a/acme/copilot/usage?group=AGENT')
  await expect(page.getByRole('row').filter({ hasText: first })).toBeVisible()
  await expect(page.getByRole('row').filter({ hasText: second })).toBeVisible()

  // Uninstalled, it is refused; what was used stays on the books.
  await page.goto(`/a/acme/copilot/marketplace/${listing}`)
  await page.getByRole('button', { name: `Uninstall ${second}` }).click()
  await expect(dialog).toContainText('Calls of the last 30 days')
  await dialog.getByRole('button', { name: 'Uninstall in Copilot' }).click()
  await expect(dialog).toBeHidden()
  expect(await talk(ids[1])).toBe(403)

  // As it was for the tests that follow.
  const admin = await signedIn('admin')
  await admin('mutation ($input: ListingUninstallInput!) { listingUninstall(input: $input) { errors { message } } }', { input: { resourceId: ids[0] } })
  await (await signedIn('superAdmin'))('mutation ($input: ListingWithdrawInput!) { listingWithdraw(input: $input) { errors { message } } }', { input: { listingId: listing } })
})

test("an account's own listing is reviewed in the inbox, by somebody else", async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/copilot/requests?kind=PUBLISH')
  const request = page.getByRole('listitem').filter({ hasText: 'Policy letters to be published' })
  await expect(request).toContainText('gpt-5-mini')
  expect.soft(await violations(page), 'a review in the inbox').toEqual([])
  await request.getByRole('link', { name: 'Look at the listing' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Policy letters' })).toBeVisible()
  expect.soft(await violations(page), 'a review on its page').toEqual([])
  await page.getByRole('button', { name: 'Send back' }).click()
  await expect(page.getByText('Say what is to be changed.')).toBeVisible()
  await page.getByLabel('Note').fill('Say for which letters it is.')
  await page.getByRole('button', { name: 'Send back' }).click()
  await expect(page.getByText('It was sent back.', { exact: false }).first()).toBeVisible()
  await page.goto('/a/acme/copilot/requests?kind=PUBLISH')
  await expect(page.getByRole('heading', { level: 1, name: 'Requests' })).toBeVisible()
  await expect(request).toHaveCount(0)
})

test('the marketplace is searched, filtered, and says when nothing matches', async ({ page, signIn }) => {
  await signIn('member')
  await page.goto('/me/marketplace')
  const cards = page.getByRole('article')
  await expect(cards.filter({ hasText: 'Customer replies' })).toContainText('You have it')
  await page.getByRole('button', { name: 'Connections', exact: true }).click()
  await expect(cards.filter({ hasText: 'GitHub' })).toBeVisible()
  await expect(cards.filter({ hasText: 'Customer replies' })).toHaveCount(0)
  await page.keyboard.press('/')
  await page.keyboard.type('no such thing')
  await expect(page.getByText('Nothing matches')).toBeVisible()
})
