import { useCallback, useRef } from 'react'

/** A key of one's own for a creation: the same as long as the same is asked for, so that a second press makes nothing twice. */
export function useClientKey() {
  const last = useRef<{ asked: string; key: string }>(undefined)
  return useCallback((input: object) => {
    const asked = JSON.stringify(input)
    if (last.current?.asked !== asked) last.current = { asked, key: crypto.randomUUID() }
    return last.current.key
  }, [])
}
