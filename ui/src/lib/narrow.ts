import { useSyncExternalStore } from 'react'

const query = typeof matchMedia === 'function' ? matchMedia('(max-width: 47.99rem)') : undefined

const listen = (changed: () => void) => {
  query?.addEventListener('change', changed)
  return () => query?.removeEventListener('change', changed)
}

/** Whether the screen is a phone's: wide pictures aren't shown unasked there. */
export const useNarrow = () => useSyncExternalStore(listen, () => query?.matches ?? false)
