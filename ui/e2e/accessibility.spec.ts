import { expect, test, violations } from './fixture'
import { emails } from './server'

const pages = {
  admin: [
    '/a/acme/console',
    '/a/acme/console/keys',
    '/a/acme/console/keys?new=key',
    '/a/acme/console/models',
    '/a/acme/console/budgets',
    '/a/acme/console/usage',
    '/a/acme/console/usage?view=receipts',
    '/a/acme/console/alerts',
    '/a/acme/console/statements',
    '/a/acme/console/requests',
    '/a/acme/console/requests?show=CLOSED',
    '/a/acme/console/organizations',
    '/a/acme/console/teams',
    '/a/acme/console/teams?new=team',
    '/a/acme/console/users',
    '/a/acme/console/users?new=invitation',
    '/a/acme/console/users?tab=invitations',
    '/a/acme/console/access',
    '/a/acme/console/access?action=budget.set',
    '/a/acme/console/access?tab=place',
    '/a/acme/console/access?tab=grants',
    '/a/acme/console/audit',
    '/a/acme/console/audit?range=24h&action=budget&outcome=DONE',
    '/a/acme/copilot',
    '/a/acme/copilot/agents',
    '/a/acme/copilot/agents?new=agent',
    '/a/acme/copilot/connections',
    '/a/acme/copilot/connections?new=connection',
    '/a/acme/copilot/marketplace',
    '/a/acme/copilot/marketplace?tab=own',
    '/a/acme/copilot/marketplace?new=listing',
    '/a/acme/copilot/models',
    '/a/acme/copilot/budgets',
    '/a/acme/copilot/usage',
    '/a/acme/copilot/statements',
    '/a/acme/copilot/requests',
    '/a/acme/settings',
    '/a/acme/settings/audit',
    '/a/acme/settings/people',
    '/a/acme/settings/people?tab=roles',
    '/a/acme/settings/people?tab=invitations',
    '/a/acme/settings/domains',
    '/a/acme/settings/domains?new=domain',
    '/a/acme/settings/sign-in',
    '/a/acme/settings/sign-in?new=provider',
    '/a/acme/settings/programs',
    '/a/acme/settings/programs?new=program',
    '/a/acme/settings/webhooks',
    '/a/acme/settings/webhooks?new=webhook',
    '/a/acme/settings/sessions',
    '/a/acme/settings/support',
    '/me',
    '/me/usage',
    '/me/connections',
    '/me/inbox',
    '/me/notifications',
    '/me/profile',
    '/me/programs',
    '/a/acme/nowhere',
  ],
  member: ['/me', '/me/usage', '/me/marketplace', '/me/connections', '/me/connections?error=UNAVAILABLE&request=req_01TEST', '/me/inbox', '/me/notifications', '/me/profile', '/me/programs', '/invitation#nothing'],
  superAdmin: ['/me/profile', '/sa', '/sa/usage', '/sa/accounts', '/sa/accounts?new=account', '/sa/staff', '/sa/staff?tab=invitations', '/sa/staff?new=staff', '/sa/programs', '/sa/models', '/sa/marketplace', '/sa/marketplace?new=listing', '/sa/providers', '/sa/audit'],
} as const

for (const theme of ['light', 'dark'] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme })

    test('sign-in has no accessibility violation', async ({ page }) => {
      await page.goto('/sign-in?error=sso_denied&request=req_01TEST')
      await expect(page.getByLabel('E-mail')).toBeVisible()
      expect.soft(await violations(page), 'address').toEqual([])
      await page.getByLabel('E-mail').fill(emails.admin)
      await page.keyboard.press('Enter')
      await expect(page.getByLabel('Password', { exact: true })).toBeVisible()
      expect.soft(await violations(page), 'password').toEqual([])
      await page.getByRole('button', { name: 'Forgot your password?' }).click()
      expect.soft(await violations(page), 'forgotten').toEqual([])
      await page.goto('/reset?token=nothing')
      await page.getByLabel('New password').fill('tugboat lemon')
      expect.soft(await violations(page), 'reset').toEqual([])
    })

    for (const who of ['admin', 'member', 'superAdmin'] as const) {
      test(`pages of ${who} have no accessibility violation and no layout shift`, async ({ page, signIn }) => {
        test.setTimeout(180_000)
        await page.addInitScript(() => {
          Object.assign(window, { shift: 0 })
          new PerformanceObserver((list) => {
            for (const e of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) if (!e.hadRecentInput) Object.assign(window, { shift: (window as never as { shift: number }).shift + e.value })
          }).observe({ type: 'layout-shift', buffered: true })
        })
        await signIn(who)
        for (const path of pages[who]) {
          await page.goto(path)
          await page.waitForLoadState('networkidle')
          await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0)
          expect.soft(await violations(page), path).toEqual([])
          expect.soft(await page.evaluate('window.shift'), `layout shift of ${path}`).toBeLessThan(0.02)
        }
      })
    }
  })
}

test('panels and dialogs have no accessibility violation', async ({ page, signIn }) => {
  await signIn('admin')
  await page.goto('/a/acme/console/budgets')
  await page.getByRole('treegrid').waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'On which models' })).toBeVisible()
  expect.soft(await violations(page), 'peek').toEqual([])
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('dialog')).toBeVisible()
  expect.soft(await violations(page), 'palette').toEqual([])
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('?')
  await expect(page.getByRole('heading', { name: 'Keyboard shortcuts' })).toBeVisible()
  expect.soft(await violations(page), 'shortcuts').toEqual([])
})

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } })

  test('no page scrolls sideways, and the menu opens', async ({ page, signIn }) => {
    await signIn('admin')
    for (const path of pages.admin) {
      await page.goto(path)
      await page.waitForLoadState('networkidle')
      expect.soft(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(360)
    }
    await page.goto('/a/acme/console')
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'Budgets', exact: true }).click()
    await expect(page.getByRole('heading', { name: 'Budgets', exact: true })).toBeVisible()
    await expect(page.getByRole('dialog')).toHaveCount(0)
  })
})
