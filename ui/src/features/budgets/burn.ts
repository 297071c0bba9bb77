import { useState } from 'react'
import { useSubscription } from 'urql'
import { BudgetBurnDocument, type BudgetBurnSubscription } from '@/graphql/generated/graphql'

type Payload = BudgetBurnSubscription['budgetBurn']
export type Minute = { spenders: NonNullable<Payload['topSpenders']>; amount: string }

type Options = { paused?: boolean; /** The scopes whose budgets are followed, its own unless given. */ scopeIds?: readonly string[]; /** Also who spends right now at the scope and below it. */ minute?: boolean }

const quiet: Minute = { spenders: [], amount: '0' }

/** As many as one subscription takes; no screen has more. */
const most = 500

/** Follows budgets live: states land in the cache, where every row reads them. What comes back is the last minute. */
export function useBurn(scopeId: string | undefined, { paused = false, scopeIds, minute = false }: Options = {}): Minute {
  const [last, setLast] = useState(quiet)
  const variables = { scopeId: scopeId ?? '', scopeIds: (scopeIds ?? [scopeId ?? '']).slice(0, most), minute, after: null }
  useSubscription({ query: BudgetBurnDocument, variables, pause: paused || !scopeId }, (_, next) => {
    const { lastMinute, topSpenders } = next.budgetBurn
    if (lastMinute && topSpenders) setLast({ spenders: topSpenders, amount: lastMinute })
    return next
  })
  return last
}
