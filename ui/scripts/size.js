// Holds the built bundle to its budgets: what the sign-in page loads, and what each page adds to it.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const SHELL_KB = 260
const PAGE_KB = 430

const kb = (files) => [...files].reduce((sum, f) => sum + gzipSync(readFileSync(new URL(f, dist))).length, 0) / 1000
const imports = (file) => {
  const text = readFileSync(new URL(file, dist), 'utf8')
  const found = new Set()
  for (const m of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) found.add(`assets/${m[1]}`)
  return found
}
const closure = (file, seen = new Set()) => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const f of imports(file)) closure(f, seen)
  return seen
}

const html = readFileSync(new URL('index.html', dist), 'utf8')
const entry = html.match(/src="\/(assets\/[\w.-]+\.js)"/)[1]
const shell = closure(entry)
const main = readFileSync(new URL(entry, dist), 'utf8')
const lazy = [...main.matchAll(/import\(\s*[`"']\.\/([\w.-]+\.js)[`"']\s*\)/g)].map((m) => `assets/${m[1]}`)

// A page may pull in charts when it shows: count what it imports lazily, too.
const page = (file) => {
  const all = new Set(shell)
  for (const f of closure(file)) {
    all.add(f)
    const text = readFileSync(new URL(f, dist), 'utf8')
    if (shell.has(f)) continue
    for (const m of text.matchAll(/import\(\s*[`"']\.\/([\w.-]+\.js)[`"']\s*\)/g)) for (const g of closure(`assets/${m[1]}`)) all.add(g)
  }
  return kb(all)
}

const pages = [...new Set(lazy)].map((f) => [f, page(f)]).toSorted((a, b) => b[1] - a[1])
console.log(`shell ${kb(shell).toFixed(0)} kB gzip; largest page ${pages[0]?.[0]} ${pages[0]?.[1].toFixed(0)} kB gzip; ${pages.length} lazy pages`)
if (kb(shell) > SHELL_KB || (pages[0] && pages[0][1] > PAGE_KB)) {
  console.error(`over budget: shell ${SHELL_KB} kB, page ${PAGE_KB} kB`)
  process.exit(1)
}
