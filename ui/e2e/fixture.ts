import { readFileSync } from 'node:fs'
import { test as base, expect, type Page } from '@playwright/test'
import { emails, password, type Who } from './server'

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')

type Fixtures = { signIn: (who: Who) => Promise<void> }

/** Every test fails on a violated content policy and on an error in the page's own code. */
export const test = base.extend<Fixtures>({
  page: async ({ page }, use) => {
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (/Content.Security.Policy|violates/i.test(message.text())) faults.push(message.text())
    })
    await use(page)
    expect(faults).toEqual([])
  },
  signIn: async ({ page }, use) => {
    await use(async (who) => {
      await page.goto('/sign-in')
      await enter(page, emails[who], password)
      await expect(page).not.toHaveURL(/sign-in/)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    })
  },
})

/** Signs in on the sign-in page: the address first, then the password that it asks for. */
export async function enter(page: Page, email: string, password: string) {
  await page.getByLabel('E-mail').fill(email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Finds the one entry of a picker by typing, and takes it. */
export async function choose(page: Page, picker: string, text: string) {
  await page.getByRole('combobox', { name: picker }).fill(text)
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
}

type Violation = { id: string; help: string; nodes: { target: unknown; failureSummary?: string }[] }

/** Violations of WCAG 2.2 AA on the page as it stands. */
export async function violations(page: Page): Promise<string[]> {
  // What is still fading in or out belongs to no landmark, and has no contrast yet.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity).map((a) => a.finished)))
  await expect(page.locator('[data-starting-style], [data-ending-style]')).toHaveCount(0)
  // Base UI's guards hand the focus on at once; axe knows such only around modal dialogs.
  const found = await page.evaluate(`${axe}; axe.run({ exclude: [['[data-base-ui-focus-guard]']] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations)`)
  return (found as Violation[]).flatMap((v) => v.nodes.map((n) => `${v.id}: ${JSON.stringify(n.target)} ${n.failureSummary ?? v.help}`))
}

export { expect }
