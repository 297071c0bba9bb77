import { LifeBuoy } from 'lucide-react'
import { useEffect } from 'react'
import { createPortal } from 'react-dom'
import type { Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { timeOfDay, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = { viewer: Viewer; busy: boolean; onStop: () => void; onOver: () => void }

/** Around the whole page while staff are in somebody else's account: nobody forgets where they are. */
export function SupportFrame({ viewer, busy, onStop, onOver }: Props) {
  const support = viewer.support
  const until = support?.expiresAt
  useEffect(() => {
    document.documentElement.dataset.support = ''
    return () => {
      delete document.documentElement.dataset.support
    }
  }, [])
  useEffect(() => {
    if (!until) return
    // A little later than the server, so that it agrees.
    const timer = setTimeout(onOver, Math.min(Math.max(0, new Date(until).getTime() - Date.now()) + 1500, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  }, [until, onOver])
  if (!support) return null
  return (
    <>
      {createPortal(<div aria-hidden data-testid="support-frame" className="pointer-events-none fixed inset-0 z-60 border-4 border-support" />, document.body)}
      <section aria-label={t('Support access')} className="sticky top-0 z-30 flex h-(--banner) items-center gap-3 bg-support px-4 text-support-fg max-sm:px-3">
        <LifeBuoy aria-hidden className="size-4 shrink-0 max-sm:hidden" />
        <p className="min-w-0 grow text-sm leading-5 md:truncate">
          <span className="block truncate font-semibold md:hidden">{t('{{name}} in {{account}} as support', { name: support.staffName, account: viewer.account.name })}</span>
          <span className="font-semibold max-md:hidden">{t('{{name}}, you are in {{account}} as support', { name: support.staffName, account: viewer.account.name })}</span>
          <span className="block truncate md:inline" title={support.reason}>
            <span aria-hidden className="max-md:hidden">
              {' '}
              ·{' '}
            </span>
            {support.writes ? t('may change settings') : t('reads only')} · <time title={utc(support.expiresAt)}>{t('ends {{time}}', { time: timeOfDay(support.expiresAt) })}</time> · <span className="italic">{support.reason}</span>
          </span>
        </p>
        <Button size="sm" busy={busy} onClick={onStop}>
          {t('Stop')}
        </Button>
      </section>
    </>
  )
}
