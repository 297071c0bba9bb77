import { readFileSync } from 'node:fs'
import { expect, test } from './fixture'

test('usage is explored from a team down to a receipt, and taken away as it stands', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/usage?group=TEAM')
  const total = page.getByText('Spent', { exact: true }).first().locator('xpath=following-sibling::p[1]')
  await expect(total).toContainText('$')
  const whole = await total.textContent()

  await page.getByRole('table', { name: 'Usage' }).getByRole('button', { name: 'Risk' }).click()
  await expect(page).toHaveURL(/scope=team_/)
  await expect(page.getByRole('list', { name: 'Narrowed down to' })).toContainText('Risk')
  await expect(page.getByRole('heading', { name: 'By seat' })).toBeVisible()
  await expect(total).not.toHaveText(whole!)

  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export CSV' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^usage_acme_console_\d{8}_\d{8}_scope\.team-.*groupBy\.MEMBER_interval\.DAY\.csv$/)
  const text = readFileSync(await file.path(), 'utf8')
  expect(text.split('\n')[0]).toBe('from,to,id,name,amount,unit,calls,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,reasoning_tokens,audio_input_tokens,audio_output_tokens')
  expect(text).toContain('USD')

  await page.getByRole('tab', { name: 'Receipts' }).click()
  await page.getByRole('table', { name: 'Receipts' }).locator('[data-row-link]').first().click()
  await expect(page).toHaveURL(/peek=chg_/)
  const receipt = page.getByRole('dialog', { name: 'Receipt' })
  await expect(receipt.getByText('Lines of this call')).toBeVisible()
  const request = await receipt.getByText(/^req_/).first().textContent()
  await page.keyboard.press('Escape')

  // Whoever has the request id of an answer finds its receipt.
  await page.getByRole('searchbox', { name: 'Request id' }).fill(request!)
  await expect(page.getByRole('table', { name: 'Receipts' }).locator('tbody tr')).toHaveCount(1)
  await page.reload()
  await expect(page.getByRole('table', { name: 'Receipts' }).locator('tbody tr')).toHaveCount(1)
})

test('a super admin sees sums of all accounts, and tries a factor before setting it', async ({ page, signIn }) => {
  await signIn('superAdmin')
  await page.goto('/sa/usage')
  await page.getByRole('table', { name: 'Usage' }).getByRole('button', { name: 'Acme Corp' }).click()
  await expect(page.getByRole('list', { name: 'Narrowed down to' })).toContainText('Acme Corp')
  await expect(page.getByText('Margin', { exact: true }).first()).toBeVisible()

  await page.goto('/sa/accounts')
  await page.getByRole('link', { name: 'Globex' }).first().click()
  await page.getByRole('button', { name: 'Set factor…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(/Credits per US dollar/).fill('2000')
  await dialog.getByRole('button', { name: 'Show the effect' }).click()
  await expect(dialog.getByRole('status')).toContainText(/would have been .* credits instead of/)
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('The default: 1,000 credits per $.')).toBeVisible()
})
