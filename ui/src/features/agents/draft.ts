import type { AgentDefinitionInput, AgentDefinitionPartsFragment, AgentPartsFragment } from '@/graphql/generated/graphql'
import { parseAmount } from '@/lib/format'

/** What the editor holds: texts as they are typed. */
export type Draft = {
  name: string
  purpose: string
  icon: string
  group: string
  instructions: string
  modelId: string
  fallbackIds: string[]
  temperature: string
  topP: string
  maxOutputTokens: string
  reasoningEffort: string
  toolIds: string[]
  knowledge: { title: string; url: string }[]
  starters: string[]
  guardrailPresetIds: string[]
  sessionCredits: string
  sessionTurns: string
}

const text = (n: number | null | undefined) => (n === null || n === undefined ? '' : String(n))

export function draftOf(agent: AgentPartsFragment, d: AgentDefinitionPartsFragment): Draft {
  return {
    name: agent.name,
    purpose: agent.purpose,
    icon: agent.icon,
    group: agent.group,
    instructions: d.instructions,
    modelId: d.modelId ?? '',
    fallbackIds: d.fallbacks.map((f) => f.id),
    temperature: text(d.temperature),
    topP: text(d.topP),
    maxOutputTokens: text(d.maxOutputTokens),
    reasoningEffort: d.reasoningEffort ?? '',
    toolIds: d.tools.map((tool) => tool.id),
    knowledge: d.knowledge.map(({ title, url }) => ({ title, url })),
    starters: [...d.starters],
    guardrailPresetIds: [...d.guardrailPresetIds],
    sessionCredits: Number(agent.sessionCredits) === 0 ? '' : agent.sessionCredits,
    sessionTurns: agent.sessionTurns === 0 ? '' : String(agent.sessionTurns),
  }
}

/** A number as typed; undefined for nothing, NaN for what isn't one. */
export const numberOf = (s: string): number | undefined => (s.trim() ? Number(s.trim().replace(',', '.')) : undefined)

const within = (s: string, low: number, high: number, whole = false) => {
  const n = numberOf(s)
  return n === undefined || (n >= low && n <= high && (!whole || Number.isInteger(n)))
}

/** What is wrong with what was typed, by field; the server looks at the rest. */
export function mistakes(d: Draft): Record<string, boolean> {
  const out: Record<string, boolean> = {}
  if (!within(d.temperature, 0, 2)) out.temperature = true
  if (!within(d.topP, 0, 1)) out.topP = true
  if (!within(d.maxOutputTokens, 1, 1_000_000, true)) out.maxOutputTokens = true
  if (!within(d.sessionTurns, 0, 100_000, true)) out.sessionTurns = true
  if (d.sessionCredits && parseAmount(d.sessionCredits) === null) out.sessionCredits = true
  if (!d.name.trim()) out.name = true
  return out
}

export function inputOf(d: Draft): AgentDefinitionInput {
  return {
    instructions: d.instructions,
    modelId: d.modelId || undefined,
    fallbackIds: d.fallbackIds,
    temperature: numberOf(d.temperature),
    topP: numberOf(d.topP),
    maxOutputTokens: numberOf(d.maxOutputTokens),
    reasoningEffort: d.reasoningEffort || undefined,
    toolIds: d.toolIds,
    knowledge: d.knowledge.filter((k) => k.title.trim() || k.url.trim()),
    starters: d.starters.filter((s) => s.trim()),
    guardrailPresetIds: d.guardrailPresetIds,
  }
}

export const same = (a: Draft, b: Draft) => JSON.stringify(a) === JSON.stringify(b)
