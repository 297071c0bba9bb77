import { readFileSync } from 'node:fs'
import { choose, expect, test } from './fixture'
import { signedIn } from './server'

test('a change made elsewhere appears in the audit log by itself, with its difference', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/audit')
  await expect(page.getByRole('button', { name: 'Live' })).toBeVisible()
  await expect(page.getByRole('button', { name: /Anna Keller/ }).first()).toBeVisible()

  const query = await signedIn('admin')
  type Tree = { console: { scopes: { edges: { node: { id: string; name: string; budget: { limit: string } | null } }[] } } }
  const { console } = await query<Tree>('{ console { scopes(kinds: [TEAM], first: 100) { edges { node { id name budget { limit } } } } } }')
  const team = console.scopes.edges.find((e) => e.node.name === 'Platform')!.node
  const limit = team.budget!.limit === '96' ? '95' : '96'
  await query('mutation ($input: BudgetSetInput!) { budgetSet(input: $input) { errors { message } } }', { input: { scopeId: team.id, limit } })

  const event = page.getByRole('button', { name: new RegExp(`Anna Keller (raised|lowered) the limit of Platform .*→ \\$${limit}`) }).first()
  await expect(event).toBeVisible()
  await event.click()
  await expect(page).toHaveURL(/peek=/)
  await expect(page.getByText(/^req_/).first()).toBeVisible()
  await expect(page.locator('ins').first()).toContainText(`$${limit}`)

  await page.getByRole('button', { name: 'Refused', exact: true }).click()
  await expect(page).toHaveURL(/outcome=REFUSED/)
  await expect(page.getByRole('button', { name: /the limit of Platform/ })).toHaveCount(0)
})

test('the audit log is narrowed down, and taken away as a file as it stands', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/audit')
  await expect(page.getByRole('button', { name: /Anna Keller/ }).first()).toBeVisible()
  await choose(page, 'What was done', 'budget.set')
  await expect(page).toHaveURL(/action=budget\.set/)
  await page.getByRole('searchbox').fill('Fraud')
  await expect(page).toHaveURL(/q=Fraud/)
  const rows = page.locator('main [data-row-link]')
  await expect(rows.first()).toContainText('Fraud')
  await expect(rows.filter({ hasNotText: 'Fraud' })).toHaveCount(0)

  // By keyboard: to the row, open it, see its difference.
  await page.getByRole('searchbox').blur()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page.locator('del').first()).toBeVisible()
  await expect(page.locator('ins').first()).toBeVisible()

  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export CSV' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^audit_acme_.*action\.budget-?\.?set.*\.csv$/)
  const text = readFileSync(await file.path(), 'utf8')
  expect(text).toContain('Fraud')
  expect(text).not.toContain('key.create')
  await expect(page.getByRole('link', { name: /Export NDJSON/ })).toHaveAttribute('href', /^\/export\/audit\?scope=con_.*format=ndjson.*action=budget\.set.*search=Fraud.*from=/)

  // The part of time is chosen with the keyboard alone.
  await page.getByRole('slider', { name: 'When it happened' }).focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Shift+ArrowLeft')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/from=.*&to=/)
  await expect(page.getByText('A past range')).toBeVisible()
  await page.getByRole('button', { name: '7 days' }).click()
  await expect(page).not.toHaveURL(/from=/)
  await expect(page.getByRole('button', { name: 'Live' })).toBeVisible()
})

test('an account admin finds how far the chain is signed', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/settings/audit')
  // A checkpoint is signed when anything happened, at the latest some seconds after the start.
  await expect(async () => {
    await page.reload()
    await expect(page.getByText(/signed up to No\. \d/)).toBeVisible({ timeout: 3000 })
  }).toPass({ timeout: 45_000 })
  await page.getByText('How to verify it').click()
  await page.getByRole('button', { name: 'Copy checkpoint' }).first().click()
  const kept = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { seq: number; hash: string }
  expect(kept.seq).toBeGreaterThan(0)
  expect(kept.hash).toMatch(/^[0-9a-f]{64}$/)
})
