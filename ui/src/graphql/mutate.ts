import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { useState } from 'react'
import { type AnyVariables, useClient } from 'urql'
import { clientKeys } from './client-key'
import { type Fault, toFault } from './fault'

type Payload = { errors: readonly { message: string; code: string; path: readonly string[] }[] }

/**
 * Runs mutations of one kind; `fault` is what went wrong last that belongs to no field.
 * Gives the payload, or null when the operation as a whole failed.
 * With `once`, sending the same input again, by a second press or after the network failed, changes nothing twice.
 */
export function useMutate<Data extends object, Variables extends AnyVariables>(mutation: TypedDocumentNode<Data, Variables>, { once = false } = {}) {
  const client = useClient()
  const [keys] = useState(clientKeys)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<Fault>()
  const run = async (variables: Variables) => {
    setBusy(true)
    setFault(undefined)
    const input = variables?.input
    const sent = once && input ? { ...variables, input: keys.keyed(input as object) } : variables
    const result = await client.mutation(mutation, sent)
    setBusy(false)
    if (result.error || !result.data) {
      setFault(result.error && toFault(result.error))
      return null
    }
    const { __typename, ...fields } = result.data as Record<string, unknown>
    const payload = Object.values(fields)[0] as Omit<Data, '__typename'>[keyof Omit<Data, '__typename'>] & Payload
    if (payload.errors.length === 0) keys.done()
    return payload
  }
  return { run, busy, fault, setFault }
}
