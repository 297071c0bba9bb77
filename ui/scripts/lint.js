// Rules of this code base that oxlint has no words for: colours are tokens, features meet at their index.ts,
// money is formatted in one place.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f) && !f.startsWith('graphql/generated'))
const faults = []

for (const file of files) {
  const feature = file.match(/^features\/([^/]+)\//)?.[1]
  readFileSync(join(root, file), 'utf8').split('\n').forEach((line, i) => {
    const say = (text) => faults.push(`src/${file}:${i + 1}: ${text}`)
    if (/#[0-9a-f]{6}\b|\b(?:oklch|rgba?|hsla?)\(/i.test(line)) say('raw colour: use a token of kit/tokens.css')
    if (/\[(?:#|oklch|rgb|hsl)/.test(line)) say('raw colour in a class')
    if (/Intl\.|toLocale\w+\(/.test(line) && file !== 'lib/format.ts') say('format through lib/format')
    if (/\b(?:ml|mr|pl|pr|left|right|border-l|border-r|text-left|text-right)-(?:\d|\[)/.test(line)) say('use logical properties: ms, me, ps, pe, start, end')
    for (const m of line.matchAll(/from '@\/features\/([^/']+)(\/[^']*)?'/g)) {
      if (m[1] !== feature && m[2]) say(`import ${m[1]} through its index.ts`)
      if (!feature && !file.startsWith('app/')) say('only app and features import features')
    }
    if (/^(kit|lib|graphql)\//.test(file) && /from '@\/app\//.test(line)) say('kit, lib and graphql know nothing of app')
  })
}
for (const fault of faults) console.error(fault)
process.exit(faults.length ? 1 : 0)
