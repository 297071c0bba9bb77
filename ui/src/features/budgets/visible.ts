import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react'

/** Tells which of these rows of a grid are on screen, or at most half a screen away. */
export function useVisible(grid: RefObject<HTMLElement | null>, rows: readonly { id: string }[], tell: (ids: readonly string[]) => void) {
  const key = rows.map((r) => r.id).join()
  const latest = useRef(tell)
  useLayoutEffect(() => {
    latest.current = tell
  })
  useEffect(() => {
    const seen = new Set<string>()
    const observer = new IntersectionObserver(
      (entries) => {
        for (const e of entries) {
          const id = (e.target as HTMLElement).dataset.row!
          if (e.isIntersecting) seen.add(id)
          else seen.delete(id)
        }
        latest.current([...seen].toSorted())
      },
      { rootMargin: '50% 0px' },
    )
    const ids = new Set(key.split(','))
    for (const row of grid.current?.querySelectorAll<HTMLElement>('[data-row]') ?? []) if (ids.has(row.dataset.row!)) observer.observe(row)
    return () => observer.disconnect()
  }, [grid, key])
}
