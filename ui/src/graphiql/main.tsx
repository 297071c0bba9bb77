import './graphiql.css'
import 'graphiql/setup-workers/vite'
import { createGraphiQLFetcher } from '@graphiql/toolkit'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { createRoot } from 'react-dom/client'
import { examples } from './examples'

const scheme = location.protocol === 'https:' ? 'wss' : 'ws'

const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  headers: { 'X-Cockpit-CSRF': '1' },
  wsClient: createClient({ url: `${scheme}://${location.host}/graphql` }),
})

createRoot(document.getElementById('root')!).render(<GraphiQL fetcher={fetcher} defaultTabs={examples} shouldPersistHeaders={false} />)
