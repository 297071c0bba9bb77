/** What was said so far. */
export type Message = { role: 'user' | 'assistant'; content: string }

type Handlers = { onText: (more: string) => void; signal: AbortSignal }

/** What a try cost, as the gateway tells at its end. */
export type Receipt = { credits?: string }

type Refusal = { error?: { message?: string } }

/** Asks an agent's draft; the signed-in person's own seat pays. Throws what was refused, in words. */
export async function tryDraft(agentId: string, messages: readonly Message[], { onText, signal }: Handlers): Promise<Receipt> {
  const response = await fetch(`/agents/${agentId}/try`, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', 'X-Cockpit-CSRF': '1' },
    body: JSON.stringify({ messages, stream: true }),
    signal,
  })
  if (!response.ok || !response.body) {
    const refusal = (await response.json().catch(() => ({}))) as Refusal
    throw new Error(refusal.error?.message ?? response.statusText)
  }
  const receipt: Receipt = {}
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += value ?? ''
    const lines = rest.split('\n')
    rest = done ? '' : lines.pop()!
    for (const line of lines) read(line, onText, receipt)
    if (done) return receipt
  }
}

type Chunk = Refusal & { choices?: { delta?: { content?: string | null } }[] }

/** Reads one line of the stream: a piece of text, an error, or a note on what it cost. */
export function read(line: string, onText: (more: string) => void, receipt: Receipt) {
  const cost = /^: x-cockpit-credits: ([\d.]+)/.exec(line)
  if (cost) receipt.credits = cost[1]
  if (!line.startsWith('data:')) return
  const data = line.slice(5).trim()
  if (data === '' || data === '[DONE]') return
  const chunk = JSON.parse(data) as Chunk
  if (chunk.error) throw new Error(chunk.error.message)
  const more = chunk.choices?.[0]?.delta?.content
  if (more) onText(more)
}
