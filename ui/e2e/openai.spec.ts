import { expect, test } from '@playwright/test'
import OpenAI, { APIError, AuthenticationError, PermissionDeniedError, RateLimitError } from 'openai'
import { console as plane, signedIn, url } from './server'

// The unmodified SDK: only base URL and key are changed.
const client = (apiKey: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
const ask = { model: plane.model, messages: [{ role: 'user' as const, content: 'Hello' }] }

type Root = { console: { id: string; models: { edges: { node: { id: string; name: string } }[] } } }

/** A key as the test needs it, made over GraphQL. */
async function makeKey(input: object) {
  const query = await signedIn('admin')
  const { console } = await query<Root>('{ console { id models(first: 100) { edges { node { id name } } } } }')
  const model = console.models.edges.find((e) => e.node.name === plane.model)!.node
  const { keyCreate } = await query<{ keyCreate: { secret: string | null; errors: { message: string }[] } }>('mutation ($input: KeyCreateInput!) { keyCreate(input: $input) { secret errors { message } } }', {
    input: { name: `sdk-${Date.now()}`, ownerId: console.id, modelIds: [model.id], ...input },
  })
  expect(keyCreate.errors).toEqual([])
  return keyCreate.secret!
}

const failure = (call: Promise<unknown>) => call.then(() => null).catch((error: unknown) => error)

test('answers as a whole', async () => {
  const answer = await client(plane.key).chat.completions.create({ ...ask, max_tokens: 60 })
  expect(answer.choices[0]?.message.content).toBeTruthy()
  expect(answer.usage?.total_tokens).toBeGreaterThan(0)
})

test('answers as a stream, with usage when asked for', async () => {
  const stream = await client(plane.key).chat.completions.create({ ...ask, max_tokens: 60, stream: true, stream_options: { include_usage: true } })
  let text = ''
  let total = 0
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    total = chunk.usage?.total_tokens ?? total
  }
  expect(text.length).toBeGreaterThan(0)
  expect(total).toBeGreaterThan(0)
})

test('lists the models that the key may call', async () => {
  const secret = await makeKey({})
  const names = (await client(secret).models.list()).data.map((m) => m.id)
  expect(names).toEqual([plane.model])
})

test('401: a key that nobody has', async () => {
  const error = await failure(client('ck_console_nobody').chat.completions.create(ask))
  expect(error).toBeInstanceOf(AuthenticationError)
})

test('402: a budget that is used up, named', async () => {
  const error = await failure(client(await makeKey({ name: 'empty-handed', limit: '0' })).chat.completions.create(ask))
  expect(error).toBeInstanceOf(APIError)
  expect(error).toMatchObject({ status: 402, code: 'budget_exceeded' })
  expect((error as APIError).message).toContain('empty-handed')
})

test('403: a model that the key may not call', async () => {
  const error = await failure(client(await makeKey({})).chat.completions.create({ ...ask, model: 'qwen3-thinking' }))
  expect(error).toBeInstanceOf(PermissionDeniedError)
  expect(error).toMatchObject({ code: 'model_not_granted' })
})

test('429: more calls in a minute than the key may make', async () => {
  const limited = client(await makeKey({ requestsPerMinute: 1 }))
  await limited.chat.completions.create({ ...ask, max_tokens: 10 })
  const error = await failure(limited.chat.completions.create({ ...ask, max_tokens: 10 }))
  expect(error).toBeInstanceOf(RateLimitError)
  expect(Number((error as RateLimitError).headers?.get('retry-after'))).toBeGreaterThan(0)
})
