import { useSyncExternalStore } from 'react'
import { Badge } from '@/kit/badge'
import { t } from '@/lib/i18n'

type State = 'connecting' | 'live' | 'reconnecting' | 'paused'

let state: State = 'connecting'
const listeners = new Set<() => void>()

export function setLive(next: State) {
  if (next === state) return
  state = next
  for (const tell of listeners) tell()
}

const subscribe = (tell: () => void) => {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

const useLive = () => useSyncExternalStore(subscribe, () => state)

/** Whether what is shown follows the server right now. */
export function LiveBadge({ paused }: { paused?: boolean }) {
  const now = useLive()
  if (paused || now === 'paused') return <Badge>{t('Paused')}</Badge>
  if (now === 'connecting') return <Badge>{t('Connecting')}</Badge>
  if (now === 'reconnecting') {
    return (
      <Badge tone="warn" dot>
        {t('Reconnecting')}
      </Badge>
    )
  }
  return (
    <Badge tone="ok" dot>
      {t('Live')}
    </Badge>
  )
}
