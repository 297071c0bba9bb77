import type { WhatIfInput } from '@/graphql/generated/graphql'

export type Move = { key: number; from: string | null; to: string | null; share: number }
export type Price = { key: number; model: string | null; percent: number }

/** What somebody imagines; `people` are as they were typed. */
export type Draft = { usersBy: 'percent' | 'people'; usersPercent: number; people: string; moves: readonly Move[]; prices: readonly Price[]; factor: string; days: '' | '30' | '90' }

export const nothing: Draft = { usersBy: 'percent', usersPercent: 0, people: '', moves: [], prices: [], factor: '', days: '' }

/** As many moves and prices as the server takes. */
export const mostChanges = 20

/** What of it is complete enough to be asked; what is half filled in changes nothing yet. */
export function toInput(d: Draft): WhatIfInput {
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(d.factor.trim()) ? Math.round(Number(d.factor) * 1_000_000) : 0
  const people = /^[+−-]?\d{1,6}$/.test(d.people.trim()) ? Number(d.people.trim().replace('−', '-')) : 0
  const moves = d.moves.flatMap((m) => (m.from && m.to && m.from !== m.to && m.share > 0 ? [{ fromModelId: m.from, toModelId: m.to, percent: m.share }] : []))
  const prices = d.prices.flatMap((p) => (p.model && p.percent ? [{ modelId: p.model, percent: p.percent }] : []))
  return {
    usersPercent: (d.usersBy === 'percent' && d.usersPercent) || undefined,
    users: (d.usersBy === 'people' && people) || undefined,
    moves: moves.length > 0 ? moves : undefined,
    prices: prices.length > 0 ? prices : undefined,
    factorPpm: factor || undefined,
    days: d.days ? Number(d.days) : undefined,
  }
}
