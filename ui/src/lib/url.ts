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

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)

/** Validates search parameters that are plain texts, and drops all others. */
export const texts =
  <K extends string>(...names: K[]) =>
  (search: Record<string, unknown>): Partial<Record<K, string>> =>
    Object.fromEntries(names.map((n) => [n, text(search[n])]).filter(([, v]) => v !== undefined))
