// The official client lists the tools of a gateway and calls those that it is
// told to; what came of it goes to standard output as JSON.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const { url, token, calls } = JSON.parse(process.argv[2])
const client = new Client({ name: 'official', version: '1' })
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }))
const tools = []
let cursor
do {
  const page = await client.listTools({ cursor })
  tools.push(...page.tools.map((t) => t.name))
  cursor = page.nextCursor
} while (cursor)
const results = []
for (const call of calls) {
  try {
    results.push(await client.callTool(call))
  } catch (e) {
    results.push({ refused: String(e.message) })
  }
}
console.log(JSON.stringify({ tools, results }))
await client.close()
