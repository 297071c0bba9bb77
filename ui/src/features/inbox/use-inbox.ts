import { useCallback, useState } from 'react'
import { useClient, useSubscription } from 'urql'
import { InboxLiveDocument, NotificationReadDocument, NotificationsReadAllDocument } from '@/graphql/generated/graphql'
import { toFault } from '@/graphql/fault'
import { toast } from '@/kit/toast'

/** How many lines are unread right now; `onChange` hears whenever the inbox changes. */
export function useUnread(onChange?: () => void): number {
  const [unread, setUnread] = useState(0)
  useSubscription({ query: InboxLiveDocument }, (_, next) => {
    setUnread(next.inbox?.unread ?? 0)
    onChange?.()
    return next
  })
  return unread
}

/** Marks lines as read, or as unread again. */
export function useMark() {
  const client = useClient()
  const read = useCallback(
    async (notificationId: string, on = true) => {
      const result = await client.mutation(NotificationReadDocument, { input: { notificationId, read: on } })
      if (result.error) toast(toFault(result.error).message)
    },
    [client],
  )
  const readAll = useCallback(async () => {
    const result = await client.mutation(NotificationsReadAllDocument, {})
    if (result.error) toast(toFault(result.error).message)
  }, [client])
  return { read, readAll }
}
