import type { ComponentProps } from 'react'
import { BurnChart } from './burn-chart'
import { burnSentence } from './sentence'

/** How a budget burns: the sentence, and the picture that says the same. */
export function BurnPicture(props: ComponentProps<typeof BurnChart>) {
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm">{burnSentence(props.state)}</p>
      <BurnChart {...props} />
    </div>
  )
}
