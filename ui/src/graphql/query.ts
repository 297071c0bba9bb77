import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { type AnyVariables, useQuery } from 'urql'
import { useCallback, useState } from 'react'
import { type Fault, toFault } from './fault'

type Result<Data> = {
  /** What is known; the previous data stays while newer is fetched. */
  data?: Data
  /** True only while there is nothing to show yet. */
  loading: boolean
  fetching: boolean
  fault?: Fault
  retry: () => void
}

/** Reads from the cache at once and from the server always. */
export function useRead<Data, Variables extends AnyVariables>(query: TypedDocumentNode<Data, Variables>, variables: Variables, pause = false): Result<Data> {
  const [result, execute] = useQuery({ query, variables, pause, requestPolicy: 'cache-and-network' })
  const [last, setLast] = useState(result.data)
  if (result.data && result.data !== last) setLast(result.data)
  const retry = useCallback(() => execute({ requestPolicy: 'network-only' }), [execute])
  const data = result.data ?? last
  return {
    data,
    loading: !data && !result.error,
    fetching: result.fetching,
    fault: result.error && toFault(result.error),
    retry,
  }
}
