import { t } from '@/lib/i18n'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Dict = { [name: string]: Json }

/** A parameter as people read it. */
export type Parameter = { name: string; type: string; required: boolean; description: string; /** What else its schema says, line by line. */ rest: string[] }

/** What one part of a definition was and becomes; empty where it wasn't there, or isn't any more. */
export type Difference = { part: string; before: string; after: string }

const dict = (v: Json | undefined): Dict => (v && typeof v === 'object' && !Array.isArray(v) ? v : {})
const text = (v: Json | undefined): string => (typeof v === 'string' ? v : '')
const line = (v: Json): string => (typeof v === 'string' ? v : JSON.stringify(v))

/** Names sorted, so that the same value is the same text. */
function sorted(v: Json): Json {
  if (Array.isArray(v)) return v.map(sorted)
  if (!v || typeof v !== 'object') return v
  return Object.fromEntries(Object.keys(v).toSorted().map((k) => [k, sorted(v[k]!)]))
}

const pretty = (v: Json): string => JSON.stringify(sorted(v), null, 2)

/** The definition as an object; nothing where it can't be read. */
export function parse(definition: string): Dict {
  try {
    return dict(JSON.parse(definition) as Json)
  } catch {
    return {}
  }
}

function typeOf(schema: Dict): string {
  const one = (v: Json) => (v === 'array' ? t('list of {{what}}', { what: typeOf(dict(schema.items)) || t('anything') }) : line(v))
  if (Array.isArray(schema.type)) return schema.type.filter((v) => v !== 'null').map(one).join(t(' or '))
  if (schema.type !== undefined) return one(schema.type)
  if (Array.isArray(schema.enum)) return t('one of a list')
  return ''
}

/** What the words of JSON Schema mean to people; others stand as they are. */
const ruleNames: Record<string, string> = { enum: t('one of'), default: t('left out'), minimum: t('at least'), maximum: t('at most'), format: t('written as'), items: t('each') }

const rule = (name: string, v: Json): string => `${ruleNames[name] ?? name}: ${Array.isArray(v) ? v.map((one) => JSON.stringify(sorted(one))).join(', ') : JSON.stringify(sorted(v))}`

const deepest = 4

/** The parameters of an object's schema: those that are needed first; those of an object follow it, by its name and theirs. */
export function parametersOf(schema: Json | undefined, within = '', depth = 0): Parameter[] {
  const of = dict(schema)
  const needed = new Set(Array.isArray(of.required) ? of.required.map(line) : [])
  return Object.entries(dict(of.properties))
    .toSorted(([a], [b]) => Number(needed.has(b)) - Number(needed.has(a)) || a.localeCompare(b))
    .flatMap(([key, raw]): Parameter[] => {
      // true and false are schemas, too.
      const p = typeof raw === 'boolean' ? { schema: raw } : dict(raw)
      // No name may look like a path to another.
      const name = within + (key.includes('›') ? JSON.stringify(key) : key)
      const opens = depth < deepest && Object.keys(dict(p.properties)).length > 0
      const told = new Set(opens ? ['type', 'description', 'properties', 'required'] : ['type', 'description'])
      const rest = Object.keys(p)
        .filter((k) => !told.has(k))
        .toSorted()
        .map((k) => rule(k, p[k]!))
      // What the words of its type, and its parts, don't tell.
      if (Array.isArray(p.type) && p.type.includes('null')) rest.push(t('may be null'))
      const ghosts = opens && Array.isArray(p.required) ? p.required.filter((r) => !(line(r) in dict(p.properties))) : []
      if (ghosts.length > 0) rest.push(rule('required', ghosts))
      const own = { name, type: typeOf(p), required: needed.has(key), description: text(p.description), rest }
      return opens ? [own].concat(parametersOf(p, `${name} › `, depth + 1)) : [own]
    })
}

const written = (p: Parameter): string => [[p.type || t('anything'), p.required ? t('required') : t('optional')].join(', '), ...(p.description ? sentences(p.description).split('\n') : []), ...p.rest].join('\n')

/** One sentence a line, so that a change shows as what it is. */
const sentences = (s: string): string => s.replace(/([.!?]) +/g, '$1\n')

const without = (of: Dict, ...names: string[]): Dict => Object.fromEntries(Object.entries(of).filter(([k]) => !names.includes(k)))

const hintNames: Record<string, string> = { readOnlyHint: t('changes nothing'), destructiveHint: t('may destroy'), idempotentHint: t('again changes nothing more'), openWorldHint: t('reaches outside'), title: t('title') }

const hints = (v: Json | undefined): string =>
  Object.entries(dict(v))
    .map(([k, value]) => `${hintNames[k] ?? k}: ${value === true ? t('yes') : value === false ? t('no') : line(sorted(value))}`)
    .toSorted()
    .join('\n')

function schemaParts(label: (name: string) => string, rest: string, a: Dict, b: Dict): Difference[] {
  const before = new Map(parametersOf(a).map((p) => [p.name, p]))
  const after = new Map(parametersOf(b).map((p) => [p.name, p]))
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  const parts = names.map((name) => ({ part: label(name), before: before.has(name) ? written(before.get(name)!) : '', after: after.has(name) ? written(after.get(name)!) : '' }))
  // Some say things of the object as a whole, or have what they need in another order.
  const whole = (s: Dict) => {
    const other = without(s, 'properties', 'required')
    return Object.keys(other).length ? pretty(other) : ''
  }
  return [...parts, { part: rest, before: whole(a), after: whole(b) }]
}

/** What differs between two definitions, part by part, in words; all of it: what no part shows comes as JSON. */
export function differences(approved: string, proposed: string): Difference[] {
  const [a, b] = [parse(approved), parse(proposed)]
  const [inA, inB, outA, outB] = [dict(a.inputSchema), dict(b.inputSchema), dict(a.outputSchema), dict(b.outputSchema)]
  const rest = (of: Dict) => {
    const other = without(of, 'name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations', 'request')
    return Object.keys(other).length ? pretty(other) : ''
  }
  const found = [
    { part: t('Name'), before: text(a.name), after: text(b.name) },
    { part: t('Title'), before: text(a.title), after: text(b.title) },
    { part: t('Description'), before: sentences(text(a.description)), after: sentences(text(b.description)) },
    ...schemaParts((name) => t('Parameter {{name}}', { name }), t('All parameters'), inA, inB),
    ...schemaParts((name) => t('Result {{name}}', { name }), t('Whole result'), outA, outB),
    { part: t('What it says of itself'), before: hints(a.annotations), after: hints(b.annotations) },
    { part: t('Request'), before: text(a.request), after: text(b.request) },
    { part: t('Other'), before: rest(a), after: rest(b) },
  ].filter((d) => d.before !== d.after)
  // Nothing that differs may look the same.
  if (found.length === 0 && pretty(a) !== pretty(b)) return [{ part: t('Definition'), before: pretty(a), after: pretty(b) }]
  return found
}

/** What a server says that its tool does to the world; it may be wrong. */
export function hintsOf(definition: string): { readOnly: boolean; destructive: boolean } {
  const a = dict(parse(definition).annotations)
  return { readOnly: a.readOnlyHint === true, destructive: a.readOnlyHint !== true && a.destructiveHint === true }
}

/** The whole of it, for those who want to see each letter. */
export const wholeOf = (definition: string): string => pretty(parse(definition))
