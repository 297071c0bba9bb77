import { expect, test } from 'vitest'
import type { Viewer } from '@/graphql/viewer'
import { otherPages, pageAt, planePages } from './nav'

const viewer = { isPlatformStaff: false, account: { slug: 'acme', planes: ['CONSOLE', 'COPILOT'] }, roles: [{ role: 'ADMIN', kind: 'ACCOUNT', plane: null }] } as unknown as Viewer
const pages = [...planePages(viewer, 'CONSOLE'), ...otherPages(viewer)]

test.each([
  ['/me', 'My budgets & keys'],
  ['/me/usage', 'My budgets & keys'],
  ['/me/profile', 'My profile'],
  ['/me/programs', 'My profile'],
  ['/me/inbox', 'Inbox'],
  ['/me/notifications', 'Inbox'],
  ['/me/elsewhere', undefined],
  ['/a/acme/console', 'Overview'],
  ['/a/acme/console/budgets', 'Budgets'],
  ['/a/acme/console/statements/stm_1', 'Statements'],
  ['/a/acme/settings/webhooks', 'Account'],
])('%s is of the page %s', (pathname, label) => {
  expect(pageAt(pages, pathname)?.label).toBe(label)
})

test('no two pages have the same key', () => {
  expect(new Set(pages.map((p) => p.key)).size).toBe(pages.length)
})
