import { describe, expect, test } from 'vitest'
import { differences, hintsOf, parametersOf } from './definition'

const before = {
  name: 'search',
  description: 'Finds pages. Gives their names.',
  inputSchema: { type: 'object', properties: { query: { type: 'string', description: 'Words.' }, limit: { type: ['null', 'integer'], maximum: 5 } }, required: ['query'] },
  annotations: { readOnlyHint: true },
}

type Definition = Record<string, unknown> & { inputSchema: Record<string, unknown> & { properties: Record<string, unknown> } }

const changed = (change: (d: Definition) => void): string => {
  const d = structuredClone(before) as never as Definition
  change(d)
  return JSON.stringify(d)
}

describe('differences', () => {
  test('are none where only names stand in another order', () => {
    expect(differences(JSON.stringify(before), JSON.stringify(Object.fromEntries(Object.entries(before).toReversed())))).toEqual([])
  })

  test('tell each part in words', () => {
    const after = changed((d) => {
      d.description = 'Finds pages. Looks into the archive, too.'
      d.inputSchema.properties.archive = { type: 'boolean', description: 'Former ones too.' }
      d.inputSchema.required = ['query', 'limit']
      d.annotations = { readOnlyHint: false }
    })
    expect(differences(JSON.stringify(before), after)).toEqual([
      { part: 'Description', before: 'Finds pages.\nGives their names.', after: 'Finds pages.\nLooks into the archive, too.' },
      { part: 'Parameter archive', before: '', after: 'boolean, optional\nFormer ones too.' },
      { part: 'Parameter limit', before: 'integer, optional\nat most: 5\nmay be null', after: 'integer, required\nat most: 5\nmay be null' },
      { part: 'What it says of itself', before: 'changes nothing: yes', after: 'changes nothing: no' },
    ])
  })

  // A change that doesn't show would be approved unseen.
  test.each<[string, (d: Definition) => void]>([
    ['a title', (d) => (d.title = 'Search')],
    ['the name', (d) => (d.name = 'find')],
    ['a default deep inside', (d) => (d.inputSchema.properties.filter = { type: 'object', default: 1 })],
    ['a type that allows null', (d) => (d.inputSchema.properties.limit = { type: 'integer', maximum: 5 })],
    ['the schema as a whole', (d) => (d.inputSchema.additionalProperties = false)],
    ['a parameter that may be anything', (d) => (d.inputSchema.properties.limit = true)],
    ['what is needed, though no parameter has that name', (d) => (d.inputSchema.required = ['query', 'ghost'])],
    ['the result', (d) => (d.outputSchema = { properties: { page: { type: 'string' } } })],
    ['where the request goes', (d) => (d.request = 'POST /elsewhere')],
    ['a part of tomorrow', (d) => (d.icons = ['x'])],
    ['blanks between sentences', (d) => (d.description = 'Finds pages.  Gives their names.')],
    ['a schema that is no object', (d) => (d.outputSchema = true)],
  ])('show %s', (_, change) => {
    const found = differences(JSON.stringify(before), changed(change))
    expect(found).toHaveLength(1)
    expect(found[0]!.before).not.toBe(found[0]!.after)
  })

  test('cope with what is no JSON', () => {
    expect(differences('{', JSON.stringify({ name: 'x' }))).toEqual([{ part: 'Name', before: '', after: 'x' }])
  })
})

test('parameters that are needed come first, with what their schema says', () => {
  const schema = { properties: { b: { type: 'array', items: { type: 'string' } }, a: { enum: ['x', 'y'], default: 'x' }, c: { type: 'integer' } }, required: ['c'] }
  expect(parametersOf(schema)).toEqual([
    { name: 'c', type: 'integer', required: true, description: '', rest: [] },
    { name: 'a', type: 'one of a list', required: false, description: '', rest: ['left out: "x"', 'one of: "x", "y"'] },
    { name: 'b', type: 'list of string', required: false, description: '', rest: ['each: {"type":"string"}'] },
  ])
})

test('parameters of an object follow it', () => {
  const body = { type: 'object', required: ['day', 'ghost'], properties: { note: { type: 'string' }, day: { type: 'string', format: 'date' } } }
  expect(parametersOf({ properties: { body }, required: ['body'] }).map((p) => [p.name, p.required, p.rest])).toEqual([
    ['body', true, ['required: "ghost"']],
    ['body › day', true, ['written as: "date"']],
    ['body › note', false, []],
  ])
  const other = { ...body, properties: { ...body.properties, day: { type: 'integer' } } }
  const found = differences(JSON.stringify({ inputSchema: { properties: { body } } }), JSON.stringify({ inputSchema: { properties: { body: other } } }))
  expect(found.map((d) => d.part)).toEqual(['Parameter body › day'])
  const twins = parametersOf({ properties: { body, 'body › day': { type: 'string' } } }).map((p) => p.name)
  expect(new Set(twins).size).toBe(twins.length)
})

test('what changes nothing destroys nothing', () => {
  expect(hintsOf(JSON.stringify({ annotations: { readOnlyHint: true, destructiveHint: true } }))).toEqual({ readOnly: true, destructive: false })
  expect(hintsOf(JSON.stringify({ annotations: { destructiveHint: true } }))).toEqual({ readOnly: false, destructive: true })
  expect(hintsOf('{}')).toEqual({ readOnly: false, destructive: false })
})
