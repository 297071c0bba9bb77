import { expect, it } from 'vitest'
import { adminsByScope } from './scope'

const at = (id: string, name: string, role = 'ADMIN') => ({ role, scope: { id }, user: { id: name, name } })

it('groups admins by their node, auditors left out', () => {
  const found = adminsByScope([at('team_1', 'Ada'), at('team_1', 'Grace'), at('org_1', 'Linus'), at('org_1', 'Eve', 'VIEWER')])
  expect(found.get('team_1')).toEqual(['Ada', 'Grace'])
  expect(found.get('org_1')).toEqual(['Linus'])
  expect(found.get('team_2')).toBeUndefined()
})
