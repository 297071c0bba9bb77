import { useState } from 'react'
import { type GrantEffect, type GrantPartsFragment, GrantRemoveDocument, GrantSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'

/** What stands at a scope for a resource: a grant, or nothing of its own. */
export type Stand = GrantEffect | 'NONE'

/** Sets what stands at one scope; `undo` brings back what stood before. */
export function useGrant(scopeId: string) {
  const setting = useMutate(GrantSetDocument)
  const removing = useMutate(GrantRemoveDocument)
  const [refusal, setRefusal] = useState<string>()

  const remove = async (grantId: string) => {
    const payload = await removing.run({ input: { grantId } })
    setRefusal(payload?.errors[0]?.message)
    return Boolean(payload?.grantId)
  }
  const set = async (resourceId: string, effect: GrantEffect, was?: GrantPartsFragment) => {
    const payload = await setting.run({ input: { scopeId, resourceId, effect, note: was?.note, expiresAt: was?.expiresAt } })
    setRefusal(payload?.errors[0]?.message)
    return payload?.grant?.id
  }
  /** Gives what undoes it; nothing when it was refused. */
  const put = async (resourceId: string, stand: Stand, was?: GrantPartsFragment): Promise<(() => void) | undefined> => {
    const before = () => void (was && set(resourceId, was.effect, was))
    if (stand === 'NONE') return was && (await remove(was.id)) ? before : undefined
    const made = await set(resourceId, stand, was)
    if (!made) return undefined
    return was ? before : () => void remove(made)
  }
  return { put, refusal, fault: setting.fault ?? removing.fault, busy: setting.busy || removing.busy }
}
