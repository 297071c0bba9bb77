import { type ComponentProps, lazy, Suspense } from 'react'
import type { Receipt } from './receipt'

const Whole = lazy(async () => ({ default: (await import('./receipt')).Receipt }))

/** A receipt over another page or panel, loaded when it is asked for. */
export function OpenReceipt(props: ComponentProps<typeof Receipt>) {
  return (
    <Suspense>
      <Whole {...props} />
    </Suspense>
  )
}
