import { expect, test } from 'vitest'
import { draftOf, emptyDraft, payloadOf } from './payload'
import { entries, plain, shown, standing } from './words'

test('what a form does not know of a payload stays as it was', () => {
  const before = '{"purpose":"Answers","model":"gpt-5","definition":{"instructions":"Be brief.","parameters":{"temperature":0.2},"starters":["Hi"]}}'
  const { draft, rest } = draftOf(before)
  expect(draft).toMatchObject({ purpose: 'Answers', model: 'gpt-5', instructions: 'Be brief.', starters: 'Hi' })
  expect(JSON.parse(payloadOf('TEMPLATE', draft, rest))).toEqual(JSON.parse(before))
  expect(JSON.parse(payloadOf('TEMPLATE', { ...draft, model: '', starters: ' ' }, rest))).toEqual({ purpose: 'Answers', definition: { instructions: 'Be brief.', parameters: { temperature: 0.2 } } })
})

test("a connection's payload has what its kind and its sign-in need, and no more", () => {
  const draft = { ...emptyDraft, url: ' https://mcp.example/mcp ', auth: 'HEADER' as const, authName: 'X-Key', oauth: '{"x":1}', documentUrl: 'https://x.example' }
  expect(JSON.parse(payloadOf('CONNECTION', draft))).toEqual({ kind: 'MCP_HTTP', url: 'https://mcp.example/mcp', auth: 'HEADER', authName: 'X-Key', credential: 'PERSONAL' })
  const openApi = { ...draft, kind: 'OPENAPI' as const, auth: 'NONE' as const }
  const rest = { kind: 'OPENAPI', document: '{}', documentUrl: 'https://x.example' }
  expect(JSON.parse(payloadOf('CONNECTION', openApi, rest))).toMatchObject({ document: '{}' })
  expect(JSON.parse(payloadOf('CONNECTION', { ...openApi, documentUrl: 'https://y.example' }, rest)), 'another document is read anew').not.toHaveProperty('document')
})

test('pictures are shown only where showing them tells nobody', () => {
  expect(shown('data:image/png;base64,iVBORw0KGgo=')).toBe(true)
  for (const bad of ['https://x.example/a.png', 'data:image/svg+xml;base64,PHN2Zz4=', 'data:text/html;base64,PGI+', 'data:image/png;base64,"><b>', 'javascript:alert(1)']) expect(shown(bad), bad).toBe(false)
})

test('entries are parted, trimmed, and there once', () => {
  expect(entries('Writing, , Legal,Writing', /,/)).toEqual(['Writing', 'Legal'])
})

test('values read as people write them', () => {
  expect(plain('"a\\nb"')).toBe('a\nb')
  expect(plain('["a","b"]')).toBe('a\nb')
  expect(plain('{"a":1}')).toContain('"a": 1')
  expect(plain('')).toBe('')
})

test('a card says where its listing stands with the viewer', () => {
  const i = { original: false, outdated: false, usable: false }
  expect(standing([])).toBeUndefined()
  expect(standing([{ ...i, original: true }])).toBeUndefined()
  expect(standing([i])?.label).toBe('Installed')
  expect(standing([i, { ...i, usable: true }])?.label).toBe('You have it')
  expect(standing([{ ...i, usable: true, outdated: true }])?.label).toBe('Update')
})
