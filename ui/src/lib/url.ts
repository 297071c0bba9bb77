import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** Search parameters of the present page, as its route has validated them, and a setter; undefined takes one away. */
export function useUrl<Search extends object>() {
  const search = useSearch({ strict: false, structuralSharing: true } as never) as Partial<Search>
  const navigate = useNavigate()
  const set = useCallback(
    (patch: Partial<Search>) => navigate({ to: '.', search: (before: object) => ({ ...before, ...patch }), replace: true, resetScroll: false }),
    [navigate],
  )
  return [search, set] as const
}

type Search = Record<string, unknown>

/** Addresses carry plain texts: what looks like a number in one (a state, a search) stays as it was written. */
export const plainSearch = {
  parse: (search: string): Search => Object.fromEntries(new URLSearchParams(search)),
  stringify: (search: Search): string => {
    const params = new URLSearchParams(Object.entries(search).filter((e): e is [string, string] => typeof e[1] === 'string'))
    return params.size ? `?${params}` : ''
  },
}

/** A path of this cockpit and nothing else: never another site, whatever a link says. */
export const safePath = (path: string | undefined): string | undefined => (path && /^\/(?![/\\])/.test(path) ? path : undefined)

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)

/** Validates search parameters that are plain texts, and drops all others. */
export const texts =
  <K extends string>(...names: K[]) =>
  (search: Record<string, unknown>): Partial<Record<K, string>> =>
    Object.fromEntries(names.map((n) => [n, text(search[n])]).filter(([, v]) => v !== undefined))

type Along = { return?: string; invitation?: string }

/** Where a provider's sign-in begins, with the page to come back to or the invitation to take up. */
export function startAt(startUrl: string, along: Along, origin = location.origin): string {
  const url = new URL(startUrl, origin)
  for (const [name, value] of Object.entries(along)) if (value) url.searchParams.set(name, value)
  return url.toString()
}
