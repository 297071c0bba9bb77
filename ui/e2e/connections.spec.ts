import { choose, expect, test, violations } from './fixture'
import { signedIn } from './server'

type Known = { copilot: { connections: { edges: { node: { id: string; name: string; url: string } }[] } } }

const known = '{ copilot { connections(first: 100) { edges { node { id name url } } } } }'

/** What a test has left behind before is taken away: a run begins as the first one did. */
async function without(name: string) {
  const ask = await signedIn('admin')
  const rows = (await ask<Known>(known)).copilot.connections.edges.map((e) => e.node)
  const old = rows.find((c) => c.name === name)
  if (old) await ask('mutation ($input: ConnectionDeleteInput!) { connectionDelete(input: $input) { errors { message } } }', { input: { connectionId: old.id } })
  return rows
}

test('an admin connects a server, approves its tools and hands one to a team', async ({ page, signIn }) => {
  const handbook = (await without('helpers')).find((c) => c.name === 'handbook')!
  await signIn('admin')
  await page.goto('/a/acme/copilot/connections')
  await page.getByRole('button', { name: 'New connection' }).click()
  const dialog = page.getByRole('dialog')
  await choose(page, 'Belongs to', 'Claims desk')
  expect(await violations(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await dialog.getByRole('button', { name: 'Continue' }).click()
  await expect(dialog.getByText('Enter the whole address, beginning with https://.')).toBeVisible()
  await dialog.getByRole('textbox', { name: 'Name' }).fill('helpers')
  await dialog.getByRole('textbox', { name: 'Address' }).fill(handbook.url)
  await dialog.getByRole('button', { name: 'Continue' }).click()
  expect(await violations(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Connect in Copilot' }).click()
  await expect(page.getByRole('heading', { name: 'helpers is connected' })).toBeVisible()
  await dialog.getByRole('checkbox', { name: /Find who answers/ }).click()
  expect(await violations(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Approve 4 tools' }).click()

  await expect(page.getByRole('heading', { level: 1, name: 'helpers' })).toBeVisible()
  await expect(page.getByText('One new tool waits for approval')).toBeVisible()
  await page.getByRole('button', { name: /Convert units/ }).click()
  const panel = page.getByRole('dialog')
  await expect(panel.getByText('The unit that it is in.', { exact: true })).toBeVisible()
  await panel.getByLabel('Price of a call, in US dollars').fill('0.01')
  await panel.getByRole('button', { name: 'Set' }).click()
  await expect(page.getByText('A call of Convert units costs $0.01')).toBeVisible()
  await panel.getByRole('tab', { name: 'Access' }).click()
  await panel.getByRole('button', { name: 'Allow or deny' }).click()
  await choose(page, 'Where', 'Claims desk')
  await page.getByRole('button', { name: 'Allow in Copilot' }).click()
  await expect(panel.getByText('1 grant')).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(page.getByRole('dialog').getByText('Its 5 tools go; 4 of them can be called today.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Delete in Copilot' })).toBeDisabled()
  await page.getByLabel('Type “helpers” to confirm').fill('helpers')
  await page.getByRole('button', { name: 'Delete in Copilot' }).click()
  await expect(page.getByRole('link', { name: 'helpers' })).toHaveCount(0)
})

test('a changed tool is held back, and approved by what changed', async ({ page, signIn }) => {
  // Another that is approved as one edition has it, and then moves on to the next.
  const handbook = (await without('manual')).find((c) => c.name === 'handbook')!
  const ask = await signedIn('admin')
  const { copilot } = await ask<{ copilot: { id: string } }>('{ copilot { id } }')
  const created = await ask<{ connectionCreate: { connection: { id: string } } }>('mutation ($input: ConnectionCreateInput!) { connectionCreate(input: $input) { connection { id } errors { message } } }', {
    input: { scopeId: copilot.id, kind: 'MCP_HTTP', name: 'manual', url: handbook.url.replace('/handbook/2/', '/handbook/1/'), approve: true },
  })
  const { id } = created.connectionCreate.connection
  await ask('mutation ($input: ConnectionUpdateInput!) { connectionUpdate(input: $input) { errors { message } } }', { input: { connectionId: id, url: handbook.url } })

  await signIn('admin')
  await page.goto(`/a/acme/copilot/connections/${id}`)
  await page.getByRole('button', { name: 'Look again' }).click()
  await expect(page.getByText('1 changed and 1 new tools wait for a look')).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Review one by one' }).click()
  const panel = page.getByRole('dialog')
  await expect(panel.getByText('Held back: it isn’t what was approved any more')).toBeVisible()
  await expect(panel.getByRole('group', { name: 'Changes of Parameter archive' })).toContainText('added: ')
  await expect(panel.getByRole('group', { name: 'Changes of Description' })).toContainText('former editions')
  expect(await violations(page)).toEqual([])
  await panel.getByRole('button', { name: 'Approve the change' }).click()
  // On to the next that waits.
  await expect(panel.getByRole('heading', { name: 'Find who answers' })).toBeVisible()
  await panel.getByRole('button', { name: 'Reject' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect(page.getByText('Approved', { exact: true })).toHaveCount(4)
  await expect(page.getByText('Rejected', { exact: true })).toBeVisible()
  await without('manual')
})

test('a member sees what they may use, and gives their own key', async ({ page, signIn }) => {
  await signIn('member')
  await page.goto('/me/connections')
  const travel = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'travel' }) })
  await expect(page.getByText('handbook__read_page')).toBeVisible()
  // Held back and never approved ones aren't theirs.
  await expect(page.getByText('handbook__search_pages')).toHaveCount(0)
  await travel.getByRole('button', { name: 'Give your key' }).click()
  await page.getByRole('dialog').getByLabel('Key').fill('trip-jonas-2026')
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Keep it' }).click()
  await expect(travel.getByText('Ready')).toBeVisible()
  await expect(travel.getByText(/ends in 2026/)).toBeVisible()
  await travel.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click()
  await expect(travel.getByText('Needs your key')).toBeVisible()
  // The page is of those who read the plane.
  await page.goto('/a/acme/copilot/connections')
  await expect(page.getByRole('heading', { name: /You need an admin's or auditor's role/ })).toBeVisible()
})
