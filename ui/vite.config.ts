import { gzipSync } from 'node:zlib'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const server = process.env.COCKPIT_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [operations(), react(), tailwindcss(), gzip()],
  resolve: { alias: { '@': join(import.meta.dirname, 'src') } },
  // Go replaces the placeholder by a fresh nonce in every response.
  html: { cspNonce: '__CSP_NONCE__' },
  server: {
    proxy: {
      '/graphql': { target: server, ws: true },
      '/v1': server,
      '/agents': server,
    },
  },
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: ['index.html', 'graphiql.html'],
      // GraphiQL's packages carry hints for a compiler that isn't used here.
      checks: { moduleLevelDirective: false },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/lib/test.ts'],
  },
})

// gzip writes a .gz beside every file that shrinks, so that the server never compresses at run time.
// HTML is left out: it carries the nonce.
function gzip(): Plugin {
  return {
    name: 'gzip',
    apply: 'build',
    writeBundle(options) {
      const dir = options.dir ?? 'dist'
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        const file = join(dir, name)
        if (!statSync(file).isFile() || !/\.(js|css|svg|ttf|json)$/.test(name)) continue
        const raw = readFileSync(file)
        const packed = gzipSync(raw, { level: 9 })
        if (packed.length < raw.length * 0.95) writeFileSync(`${file}.gz`, packed)
      }
    },
  }
}

// operations gives each generated GraphQL document a module of its own, so that a page loads its own and not everybody's.
function operations(): Plugin {
  const generated = '@/graphql/generated/graphql'
  const own = 'virtual:operation/'
  return {
    name: 'operations',
    apply: 'build',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith(own) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${own}`)) return
      const source = readFileSync(join(import.meta.dirname, 'src/graphql/generated/graphql.ts'), 'utf8')
      const document = source.match(new RegExp(`^export const ${id.slice(own.length + 1)} = (.*) as unknown as`, 'm'))
      return { code: `export default ${document![1]}`, moduleSideEffects: false }
    },
    transform: (code) =>
      code.replaceAll(new RegExp(`import \\{([^}]*)\\} from '${generated}'`, 'g'), (_, names: string) => {
        const [documents, types] = [true, false].map((is) => names.split(',').filter((n) => /^\s*\w+Document\s*$/.test(n) === is))
        return [...documents!.map((n) => `import ${n} from '${own}${n.trim()}'`), `import {${types!.join()}} from '${generated}'`].join('\n')
      }),
  }
}
