import { lazy, Suspense } from 'react'
import type { StatePartsFragment } from '@/graphql/generated/graphql'
import { burnSentence } from './sentence'

const BurnChart = lazy(() => import('./burn-chart'))

type Day = { amount: string }
type Props = { state: StatePartsFragment; series: readonly Day[]; previous?: readonly Day[]; thresholds?: readonly number[] }

/** How a budget burns: the sentence, and the picture that says the same. */
export function BurnPicture(props: Props) {
  return (
    <div className="flex flex-col gap-2">
      <p className="text-sm">{burnSentence(props.state)}</p>
      <Suspense fallback={<div className="h-56" />}>
        <BurnChart {...props} />
      </Suspense>
    </div>
  )
}
