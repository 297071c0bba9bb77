import { useState } from 'react'
import { useSubscription } from 'urql'
import { BudgetBurnDocument, type BudgetBurnSubscription } from '@/graphql/generated/graphql'

type TopSpender = BudgetBurnSubscription['budgetBurn']['topSpenders'][number]

/**
 * Watches a scope, and all below it if asked. States land in the cache, where every row reads them;
 * what comes back is who spends right now.
 */
export function useBurn(scopeId: string | undefined, paused = false, descendants = true): readonly TopSpender[] {
  const [spenders, setSpenders] = useState<readonly TopSpender[]>([])
  useSubscription({ query: BudgetBurnDocument, variables: { scopeId: scopeId ?? '', descendants, after: null }, pause: paused || !scopeId }, (_, next) => {
    setSpenders(next.budgetBurn.topSpenders)
    return next
  })
  return spenders
}
