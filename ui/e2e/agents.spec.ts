import type { Page } from '@playwright/test'
import { choose, enter, expect, test, violations } from './fixture'
import { password } from './server'

/** The model itself: its fallbacks have a picker of their own. */
async function pickModel(page: Page, name: string) {
  await page.getByRole('combobox', { name: 'Model', exact: true }).fill(name)
  await page.getByRole('option', { name }).click()
}

test('an agent is made, tried, published and brought back', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/copilot/agents?new=agent')
  await page.getByRole('textbox', { name: 'Name' }).fill('Term finder')
  await page.getByLabel('Purpose').fill('Explains the terms of a policy.')
  await choose(page, 'Owner', 'Claims desk')
  await page.getByRole('button', { name: 'Create in Copilot' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Term finder' })).toBeVisible()
  await expect(page.getByText('3 to fix before publishing')).toBeVisible()
  await expect(page.getByText('The agent has no guardrail')).toBeVisible()
  expect(await violations(page)).toEqual([])

  await page.getByRole('textbox', { name: 'Instructions' }).fill('You explain terms.\nBe brief.')
  await pickModel(page, 'claude-sonnet')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await expect(page.getByText('1 to fix before publishing')).toBeVisible()
  // Before it is published, and nothing guards it: one press puts that right.
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await expect(page.getByRole('dialog').getByRole('button', { name: 'Publish in Copilot' })).toBeDisabled()
  await page.getByRole('dialog').getByRole('button', { name: 'Add Secrets' }).click()
  await expect(page.getByRole('dialog').getByRole('button', { name: 'Publish in Copilot' })).toBeEnabled()
  await expect(page.getByRole('dialog').getByRole('group', { name: 'Changes of Guardrails' })).toContainText('Secrets')
  await page.getByRole('button', { name: 'Not yet' }).click()
  await expect(page.getByText('Ready to publish')).toBeVisible()

  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Publish Term finder' })
  await expect(dialog.getByText('You explain terms.')).toBeVisible()
  await dialog.getByLabel('What is new').fill('First.')
  await dialog.getByRole('button', { name: 'Publish in Copilot' }).click()
  await expect(page.getByText('Version 1 live')).toBeVisible()

  await page.getByRole('textbox', { name: 'Instructions' }).fill('You explain terms at length.')
  await page.getByRole('button', { name: 'Publish', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Publish in Copilot' }).click()
  await expect(page.getByText('Version 2 live')).toBeVisible()
  await page.getByRole('tab', { name: 'Versions' }).click()
  await page.getByRole('button', { name: 'Go back to version 1' }).click()
  await page.getByRole('button', { name: 'Publish it anew' }).click()
  await expect(page.getByText('Version 3 live')).toBeVisible()
  expect(await violations(page)).toEqual([])
})

test('a member sees agents to use, builds their own and tries it on their own seat', async ({ page, signIn }) => {
  await signIn('member')
  await page.goto('/me')
  await page.getByText('Copilot', { exact: true }).first().click()
  await expect(page.getByRole('heading', { level: 3, name: 'Meeting notes' })).toBeVisible()
  await page.getByRole('button', { name: 'New agent' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('My helper')
  await page.getByRole('button', { name: 'Create in Copilot' }).click()
  await page.getByRole('textbox', { name: 'Instructions' }).fill('Be brief.')
  await pickModel(page, 'gpt-5-mini')
  await page.getByRole('textbox', { name: 'Message' }).fill('Hello')
  await page.getByRole('button', { name: 'Send' }).click()
  await expect(page.getByRole('log')).toContainText('This answer comes from the demo upstream')
  await expect(page.getByText(/That took .* credits of your seat/)).toBeVisible()
})

test('an agent shows what its place brings, and holds a budget that the tree shows, too', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/copilot/agents')
  await page.getByRole('link', { name: 'Contract reader' }).click()
  await expect(page.getByRole('listitem').filter({ hasText: 'Personal data' })).toContainText('from Corporate')
  await expect(page.getByRole('button', { name: 'Remove Personal data' })).toHaveCount(0)
  expect(await violations(page)).toEqual([])
  await page.getByRole('tab', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Set a limit for Contract reader' }).click()
  await page.getByRole('textbox', { name: 'Limit of Contract reader' }).fill('250')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByRole('button', { name: /Change the limit of Contract reader/ })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.goto('/a/acme/copilot/budgets')
  await page.getByRole('button', { name: 'Open Legal' }).click()
  await expect(page.getByRole('row').filter({ hasText: 'Contract reader' })).toContainText('250')
})

test('where making agents is off, the button is, and says who can switch it on', async ({ page }) => {
  await page.goto('/sign-in')
  await enter(page, 'matteo.ricci@acme.example', password)
  await expect(page).not.toHaveURL(/sign-in/)
  await page.goto('/me')
  await page.getByText('Copilot', { exact: true }).first().click()
  await expect(page.getByRole('button', { name: 'New agent' })).toBeDisabled()
  await expect(page.getByText('An admin of this place or of one above can do that')).toBeVisible()
  expect(await violations(page)).toEqual([])
})
