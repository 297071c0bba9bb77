import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, violations } from './fixture'
import { call, console as plane, signedIn } from './server'

test('a budget passes a threshold: the bell counts, the inbox shows it, and its line leads to the budget', async ({ page, signIn }) => {
  const query = await signedIn('admin')
  type Tree = { console: { scopes: { edges: { node: { id: string; name: string } }[] }; models: { edges: { node: { id: string; name: string } }[] } } }
  const { console } = await query<Tree>('{ console { scopes(kinds: [TEAM], first: 100) { edges { node { id name } } } models(first: 100) { edges { node { id name } } } } }')
  const team = console.scopes.edges.find((e) => e.node.name === 'Payments')!.node
  const model = console.models.edges.find((e) => e.node.name === plane.model)!.node
  const name = `alert-${Date.now()}`
  type Made = { keyCreate: { key: { id: string }; secret: string } }
  const made = await query<Made>('mutation ($input: KeyCreateInput!) { keyCreate(input: $input) { key { id } secret errors { message } } }', { input: { name, ownerId: team.id, modelIds: [model.id] } })
  const limit = (amount: string) => query('mutation ($input: BudgetSetInput!) { budgetSet(input: $input) { errors { message } } }', { input: { scopeId: made.keyCreate.key.id, limit: amount } })
  await limit('1')
  await query('mutation { notificationsReadAll { count } }')

  await signIn('admin')
  await page.goto('/a/acme/console/alerts')
  await expect(page.getByRole('heading', { name: 'Alerts', level: 1 })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Inbox', exact: true })).toBeVisible()
  expect(await violations(page)).toEqual([])

  // A call, and a limit that it is 85% of; the page is never reloaded.
  expect((await call(made.keyCreate.secret, plane.model)).status).toBe(200)
  type Spent = { node: { budget: { state: { spent: string } } } }
  const { node } = await query<Spent>('query ($id: ID!) { node(id: $id) { ... on Key { budget { state { spent } } } } }', { id: made.keyCreate.key.id })
  await limit((Number(node.budget.state.spent) / 0.85).toFixed(9))
  await expect(page.getByTestId('unread')).toBeVisible()
  await page.getByRole('button', { name: /^Inbox: \d+ unread$/ }).click()
  const line = page.getByRole('dialog').getByRole('link', { name: new RegExp(`Key ${name} has`) }).first()
  await expect(line).toBeVisible()
  expect(await violations(page)).toEqual([])
  await line.click()
  await expect(page).toHaveURL(/\/a\/acme\/console\/budgets\?peek=key_/)
  const panel = page.getByRole('dialog', { name })
  await expect(panel.getByText('Alerts in this cycle')).toBeVisible()
  await expect(panel.getByText('80% used')).toBeVisible()
  await page.keyboard.press('Escape')

  await page.goto('/me/inbox')
  await expect(page.getByRole('list', { name: 'Inbox' }).getByText(new RegExp(`Key ${name} has`)).first()).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: /^Unread/ }).click()
  await expect(page).toHaveURL(/show=unread/)
  await page.goto('/me/notifications')
  const mail = page.getByRole('switch', { name: 'Budget thresholds by mail' })
  await expect(mail).toHaveAttribute('aria-checked', 'false')
  await mail.click()
  await expect(mail).toHaveAttribute('aria-checked', 'true')
  await page.reload()
  await expect(mail).toHaveAttribute('aria-checked', 'true')
  await mail.click()
  await expect(mail).toHaveAttribute('aria-checked', 'false')
  expect(await violations(page)).toEqual([])
})

test('a webhook is made, tested and seen to arrive, signed by the secret that was shown once', async ({ page, signIn }) => {
  const got: { headers: IncomingMessage['headers']; body: string }[] = []
  const receiver = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    got.push({ headers: request.headers, body })
    response.end('thank you')
  })
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  try {
    await signIn('admin')
    await page.goto('/a/acme/settings/webhooks')
    await page.getByRole('button', { name: 'New webhook' }).click()
    const name = `hook-${Date.now()}`
    await page.getByRole('textbox', { name: 'Name' }).fill(name)
    await page.getByRole('textbox', { name: 'Address' }).fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`)
    await page.getByRole('button', { name: 'Create webhook' }).click()
    const secret = (await page.getByTestId('secret').textContent()) ?? ''
    expect(secret).toMatch(/^whsec_/)
    await page.getByRole('checkbox', { name: 'I have stored the secret' }).click()
    await page.getByRole('button', { name: 'Done' }).click()
    expect(await violations(page)).toEqual([])

    await page.getByRole('button', { name, exact: true }).click()
    const panel = page.getByRole('dialog', { name })
    await panel.getByRole('button', { name: 'Send test event' }).click()
    await expect(panel.getByText('answered 200')).toBeVisible()
    await panel.getByText('webhook.test', { exact: true }).click()
    await expect(panel.getByText('thank you')).toBeVisible()
    expect(await violations(page)).toEqual([])

    const { headers, body } = got[0]!
    const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${signature}`)
    await panel.getByRole('button', { name: 'Send again' }).click()
    await expect.poll(() => got.length).toBe(2)
    expect(got[1]!.headers['webhook-id']).toBe(headers['webhook-id'])
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: `Actions for ${name}` }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('textbox').last().fill(name)
    await page.getByRole('button', { name: 'Delete webhook' }).click()
    await expect(page.getByRole('button', { name, exact: true })).toHaveCount(0)
  } finally {
    receiver.close()
  }
})
