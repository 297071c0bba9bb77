import { Link } from '@tanstack/react-router'
import { LifeBuoy } from 'lucide-react'
import { useEffect } from 'react'
import { SupportEndDocument, SupportInsideDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { toast } from '@/kit/toast'
import { timeOfDay, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ending, reads } from './words'

const every = 60_000

/** Tells admins and auditors of an account that the platform's staff are in it. */
export function SupportInside() {
  const viewer = useViewer()
  const { data, retry } = useRead(SupportInsideDocument, {})
  const end = useMutate(SupportEndDocument)
  useEffect(() => {
    const again = () => document.visibilityState === 'visible' && retry()
    const timer = setInterval(again, every)
    document.addEventListener('visibilitychange', again)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', again)
    }
  }, [retry])
  const open = (data?.account?.supportAccesses?.edges ?? []).map((e) => e.node).filter((a) => ending(a) === 'open')
  const first = open[0]
  if (!first) return null
  const stop = async () => {
    const payload = await end.run({ input: { supportAccessId: first.id } })
    if (payload) toast(payload.errors[0]?.message ?? t('The support access of {{name}} is over', { name: first.staffName }))
  }
  return (
    <section aria-label={t('Support access')} className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-info-soft px-3.5 py-2 text-sm">
      <LifeBuoy aria-hidden className="size-4 shrink-0 text-info" />
      <p className="min-w-0 grow basis-64">
        <span className="font-medium">{open.length > 1 ? t('{{count}} people of the platform are in this account as support', { count: open.length }) : t('{{name}} of the platform is in this account as support', { name: first.staffName })}</span>{' '}
        {open.length === 1 && (
          <span className="text-muted">
            · {reads(first.writes)} · <time title={utc(first.expiresAt)}>{t('until {{time}}', { time: timeOfDay(first.expiresAt) })}</time> · {first.reason}
          </span>
        )}
      </p>
      <span className="flex gap-2">
        <Link to="/a/$account/settings/support" params={{ account: viewer.account.slug }} className={buttonClass({ size: 'sm', variant: 'ghost' })}>
          {t('Look')}
        </Link>
        {open.length === 1 && may(data?.account, 'support.end') && (
          <Button size="sm" busy={end.busy} onClick={stop}>
            {t('End now')}
          </Button>
        )}
      </span>
    </section>
  )
}
