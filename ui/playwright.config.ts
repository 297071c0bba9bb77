import { defineConfig } from '@playwright/test'
import { launch } from './e2e/browser'

// Against a running server: COCKPIT_URL and the other variables of `cockpit demo env`.
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  // A busy machine of two cores takes seconds for what takes none elsewhere.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL: process.env.COCKPIT_URL ?? 'http://127.0.0.1:8080',
    launchOptions: launch,
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
    screenshot: 'only-on-failure',
    trace: 'off',
  },
})
