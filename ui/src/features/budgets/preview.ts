import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useEffect, useState } from 'react'
import { useClient } from 'urql'
import { toFault } from '@/graphql/fault'
import type { PlanPartsFragment } from '@/graphql/generated/graphql'
import { useDebounced } from '@/lib/debounce'

export type Refusal = { message: string; available?: string }

export type Preview = { plan?: PlanPartsFragment; refusal?: Refusal; waiting: boolean }

type Payload = { plan?: PlanPartsFragment | null; errors: readonly { message: string; available?: string }[] }

/** What a mutation would do, asked of the server with every pause in typing; null asks nothing. */
export function usePreview<Data extends object, Input extends object>(mutation: TypedDocumentNode<Data, { input: Input }>, input: Input | null): Preview {
  const client = useClient()
  const asked = input && JSON.stringify(input)
  const settled = useDebounced(asked, 200)
  const [answer, setAnswer] = useState<{ to: string; plan?: PlanPartsFragment; refusal?: Refusal }>()
  useEffect(() => {
    if (!settled) return
    let stale = false
    const variables = { input: { ...(JSON.parse(settled) as Input), dryRun: true } }
    void client.mutation(mutation, variables).then((result) => {
      if (stale) return
      const payload = Object.values(result.data ?? {}).find((v): v is Payload => typeof v === 'object')
      const first = payload?.errors[0]
      setAnswer({ to: settled, plan: payload?.plan ?? undefined, refusal: result.error ? { message: toFault(result.error).message } : first && { message: first.message, available: first.available } })
    })
    return () => {
      stale = true
    }
  }, [client, mutation, settled])
  if (!asked) return { waiting: false }
  // What was known stays until what is asked now is answered.
  return { plan: answer?.plan, refusal: answer?.to === asked ? answer.refusal : undefined, waiting: answer?.to !== asked }
}
