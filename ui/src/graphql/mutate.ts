import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useState } from 'react'
import { type AnyVariables, useClient } from 'urql'
import { type Fault, toFault } from './fault'

type Payload = { errors: readonly { message: string; code: string; path: readonly string[] }[] }

/**
 * Runs mutations of one kind; `fault` is what went wrong last that belongs to no field.
 * Gives the payload, or null when the operation as a whole failed.
 */
export function useMutate<Data extends object, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>) {
  const client = useClient()
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<Fault>()
  const run = async (variables: Variables) => {
    setBusy(true)
    setFault(undefined)
    const result = await client.mutation(mutation, variables)
    setBusy(false)
    if (result.error || !result.data) {
      setFault(result.error && toFault(result.error))
      return null
    }
    const { __typename, ...fields } = result.data as Record<string, unknown>
    return Object.values(fields)[0] as Omit<Data, '__typename'>[keyof Omit<Data, '__typename'>] & Payload
  }
  return { run, busy, fault, setFault }
}
