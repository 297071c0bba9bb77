function env(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} isn't set: run with the variables of \`cockpit demo env\``)
  return value
}

export const url = env('COCKPIT_URL')

export const emails = {
  admin: env('COCKPIT_ADMIN_EMAIL'),
  member: env('COCKPIT_MEMBER_EMAIL'),
  auditor: env('COCKPIT_AUDITOR_EMAIL'),
  superAdmin: env('COCKPIT_SUPER_ADMIN_EMAIL'),
}

export type Who = keyof typeof emails

export const password = env('COCKPIT_DEMO_PASSWORD')

export const copilot = { key: env('COCKPIT_COPILOT_KEY') }

export const console = { key: env('COCKPIT_CONSOLE_KEY'), model: env('COCKPIT_CONSOLE_MODEL') }

/** A call over HTTP, as a program makes it. */
export async function call(key: string, model: string, maxTokens = 50) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: maxTokens, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  return { status: answer.status, requestId: answer.headers.get('x-request-id'), body: (await answer.json()) as Record<string, never> }
}

const post = (query: string, variables: object, cookie = '') =>
  fetch(`${url}/graphql`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Cockpit-CSRF': '1', Cookie: cookie }, body: JSON.stringify({ query, variables }) })

/** GraphQL in a program's name. */
export async function bearer(token: string, query: string) {
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: JSON.stringify({ query }) })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

/** A request of a program to the token endpoint. */
export async function exchange(form: Record<string, string>) {
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

/** A public program of the demo, which asks people by /oauth/authorize. */
export const webClientId = env('COCKPIT_WEB_CLIENT_ID')

type Result<Data> = { data: Data; errors?: { message: string }[] }

/** GraphQL in the name of a demo user, for what a test needs before its first step. */
export async function signedIn(who: Who) {
  const answer = await post('mutation ($input: SessionCreateInput!) { sessionCreate(input: $input) { viewer { account { slug } } errors { message } } }', { input: { email: emails[who], password } })
  const cookie = answer.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ')
  return async <Data>(query: string, variables: object = {}): Promise<Data> => {
    const result = (await (await post(query, variables, cookie)).json()) as Result<Data>
    if (result.errors) throw new Error(result.errors.map((e) => e.message).join('; '))
    return result.data
  }
}
