import { useSyncExternalStore } from 'react'
import { Badge } from '@/kit/badge'
import { t } from '@/lib/i18n'

type State = 'live' | 'reconnecting' | 'paused'

let state: State = 'reconnecting'
const listeners = new Set<() => void>()

function publish(next: State) {
  if (next === state) return
  state = next
  for (const tell of listeners) tell()
}

export const setLive = (next: State) => publish(document.hidden ? 'paused' : next)

const subscribe = (tell: () => void) => {
  listeners.add(tell)
  return () => listeners.delete(tell)
}

export const useLive = () => useSyncExternalStore(subscribe, () => state)

/** Whether what is shown follows the server right now. */
export function LiveBadge({ paused }: { paused?: boolean }) {
  const now = useLive()
  if (paused || now === 'paused') return <Badge>{t('Paused')}</Badge>
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
