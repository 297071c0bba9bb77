import type { GuardrailAction } from '@/graphql/generated/graphql'

export type Place = { rule: string; action: GuardrailAction; from: number; to: number }
export type Piece = { at: number; text: string; place?: Place }

/** A text cut where rules matched; places count bytes of UTF-8, and where two overlap the first one shows. */
export function pieces(text: string, places: readonly Place[]): Piece[] {
  const bytes = new TextEncoder().encode(text)
  const read = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to))
  const out: Piece[] = []
  let done = 0
  for (const place of places.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const from = Math.max(place.from, done)
    if (place.to <= from) continue
    if (from > done) out.push({ at: done, text: read(done, from) })
    out.push({ at: from, text: read(from, place.to), place })
    done = place.to
  }
  if (done < bytes.length) out.push({ at: done, text: read(done, bytes.length) })
  return out
}
