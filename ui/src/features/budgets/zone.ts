import { createContext, useContext } from 'react'
import { useViewer } from '@/graphql/viewer'

const Zone = createContext<string | undefined>(undefined)

/** The time zone of the account below, where that isn't the reader's own account. */
export const AccountZone = Zone.Provider

/** The time zone by which budgets renew and end: their account's. */
export function useAccountZone(): string {
  const given = useContext(Zone)
  const own = useViewer().account.timeZone
  return given ?? own
}
