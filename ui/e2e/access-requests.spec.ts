import { expect, test, violations } from './fixture'
import { signedIn } from './server'

const day = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

test('a member asks for a model, an admin allows it for a while, and the member has it', async ({ page, signIn, context }) => {
  await signIn('member')
  await page.goto('/me')
  await page.getByRole('group', { name: 'Plane' }).getByRole('button', { name: 'Copilot' }).click()
  await page.getByText("Why can't I use a model?").click()
  const reason = `Contracts of the new client ${Date.now()}`
  await page.getByRole('button', { name: 'Ask for gpt-5', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Send request' }).click()
  await expect(dialog.getByText('Say why, in a sentence.')).toBeVisible()
  await dialog.getByLabel('Why').fill(reason)
  expect.soft(await violations(page), 'asking').toEqual([])
  await dialog.getByRole('button', { name: 'Send request' }).click()
  await expect(dialog).toBeHidden()
  const mine = page.getByRole('listitem').filter({ hasText: reason })
  await expect(mine).toContainText('Waiting')

  await context.clearCookies()
  await signIn('admin')
  await page.goto('/a/acme/copilot/requests?kind=ACCESS')
  const card = page.getByRole('listitem').filter({ hasText: reason })
  await expect(card).toContainText('gpt-5 for good')
  await expect(card).toContainText('one person')
  expect.soft(await violations(page), 'inbox').toEqual([])
  await card.getByRole('button', { name: 'Give a part' }).click()
  await dialog.getByLabel('Last day').fill(day(30))
  await dialog.getByRole('button', { name: 'Allow this part' }).click()
  await expect(card).toBeHidden()

  await context.clearCookies()
  await signIn('member')
  await page.goto('/me')
  await page.getByRole('group', { name: 'Plane' }).getByRole('button', { name: 'Copilot' }).click()
  await expect(mine).toContainText('Approved')
  await expect(mine).toContainText('Allowed, until')
  await expect(page.getByRole('button', { name: 'Why can I use gpt-5?' })).toBeVisible()

  // As it was, for the tests that follow.
  type Own = { viewer: { seat: { id: string } } }
  type Grants = { access: { grants: { edges: { node: { id: string } }[] } } }
  const { viewer } = await (await signedIn('member'))<Own>('{ viewer { seat(plane: COPILOT) { id } } }')
  const admin = await signedIn('admin')
  const { access } = await admin<Grants>('query ($id: ID!) { access(scopeId: $id) { grants(first: 10) { edges { node { id } } } } }', { id: viewer.seat.id })
  for (const { node } of access.grants.edges) await admin('mutation ($input: GrantRemoveInput!) { grantRemove(input: $input) { errors { message } } }', { input: { grantId: node.id } })
})

test('a rule gives at once, and not to who administers its place', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/requests')
  await page.getByRole('button', { name: 'Rules' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/up to so many/).fill('5')
  expect.soft(await violations(page), 'rules').toEqual([])
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()

  type Seat = { viewer: { seat: { id: string } } }
  type Made = { requestCreate: { request: { id: string; status: string; byRule: boolean; viewerCan: { action: string; allowed: boolean }[] } | null; errors: { message: string }[] } }
  const create = 'mutation ($input: RequestCreateInput!) { requestCreate(input: $input) { request { id status byRule viewerCan { action allowed } } errors { message } } }'
  const member = await signedIn('member')
  const { viewer } = await member<Seat>('{ viewer { seat(plane: CONSOLE) { id } } }')
  const input = { scopeId: viewer.seat.id, amount: '3', reason: 'A little more' }
  const first = await member<Made>(create, { input })
  expect(first.requestCreate.errors).toEqual([])
  expect(first.requestCreate.request).toMatchObject({ status: 'APPROVED', byRule: true })
  const second = await member<Made>(create, { input }) // together they are more than the rule gives
  expect(second.requestCreate.request).toMatchObject({ status: 'PENDING', byRule: false })
  expect(second.requestCreate.request?.viewerCan.find((p) => p.action === 'request.decide')?.allowed, 'nobody decides on their own').toBe(false)
  await member('mutation ($input: RequestWithdrawInput!) { requestWithdraw(input: $input) { errors { message } } }', { input: { requestId: second.requestCreate.request?.id } })
})

test('a feature is switched on for a team, and denied above', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/copilot/teams')
  await page.getByRole('button', { name: 'Advisory', exact: true }).click()
  await page.getByRole('tab', { name: 'Features' }).click()
  const row = page.getByRole('listitem').filter({ hasText: 'Generate images' })
  await expect(row).toContainText('Nobody has switched it on.')
  await row.getByRole('button', { name: 'On', exact: true }).click()
  await expect(row).toContainText('Set here.')
  expect.soft(await violations(page), 'features of a team').toEqual([])
  await page.goto('/a/acme/copilot/access?tab=features')
  const above = page.getByRole('listitem').filter({ hasText: 'Generate images' })
  await above.getByRole('button', { name: 'Deny', exact: true }).click()
  await expect(above).toContainText('Denied here and below.')
  await page.goto('/a/acme/copilot/teams')
  await page.getByRole('button', { name: 'Advisory', exact: true }).click()
  await page.getByRole('tab', { name: 'Features' }).click()
  await expect(row).toContainText('which nothing below lifts')
})
