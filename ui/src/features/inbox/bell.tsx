import { Link } from '@tanstack/react-router'
import { Bell as Icon, BellOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { NotificationsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Popover } from '@/kit/popover'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { Line } from './line'
import { useMark, useUnread } from './use-inbox'

/** The bell: how much is unread, and the newest of it. */
export function Bell() {
  const [open, setOpen] = useState(false)
  const unread = useUnread()
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      title={t('Inbox')}
      trigger={
        <Button size="icon" className="relative" aria-label={unread ? t('Inbox: {{count}} unread', { count: unread }) : t('Inbox')}>
          <Icon aria-hidden />
          {unread > 0 && (
            <span aria-hidden data-testid="unread" className="num absolute -end-1.5 -top-1.5 flex h-4 min-w-4 items-center justify-center rounded-full bg-bad px-1 text-[0.625rem] leading-none font-semibold text-bad-fg">
              {unread > 99 ? '99+' : unread}
            </span>
          )}
        </Button>
      }
    >
      <Newest unread={unread} onClose={() => setOpen(false)} />
    </Popover>
  )
}

function Newest({ unread, onClose }: { unread: number; onClose: () => void }) {
  const { data, loading, fault, retry } = useRead(NotificationsDocument, { first: 8 })
  const { read, readAll } = useMark()
  const isStaff = useViewer().isPlatformStaff
  useEffect(retry, [unread, retry])
  const lines = data?.viewer.notifications?.edges.map((e) => e.node) ?? []
  return (
    <>
      <div className="flex items-center gap-2 border-b border-line py-2 ps-4 pe-2">
        <h2 aria-hidden className="grow text-sm font-semibold">
          {t('Inbox')}
        </h2>
        {unread > 0 && (
          <Button variant="ghost" size="sm" onClick={readAll}>
            {t('Mark all as read')}
          </Button>
        )}
      </div>
      <div className="min-h-0 grow overflow-y-auto p-1">
        {fault && <ErrorBar fault={fault} retry={retry} />}
        {loading && <SkeletonRows rows={3} height="h-16" />}
        {data && lines.length === 0 && (
          <Empty icon={<BellOff aria-hidden />} title={t('Nothing yet')}>
            {isStaff ? t('You hear here when an account runs out of credits, or asks for more.') : t('You hear here when a budget passes a threshold, or somebody asks you for more.')}
          </Empty>
        )}
        {lines.map((n) => (
          <Line
            key={n.id}
            compact
            notification={n}
            onOpen={() => {
              onClose()
              if (!n.readAt) void read(n.id)
            }}
          />
        ))}
      </div>
      <div className="flex items-center justify-between border-t border-line px-2 py-1.5 text-sm">
        <Link to="/me/inbox" onClick={onClose} className="rounded-sm px-2 py-1 font-medium text-accent-text hover:underline">
          {t('Open inbox')}
        </Link>
        <Link to="/me/notifications" onClick={onClose} className="rounded-sm px-2 py-1 text-muted hover:underline">
          {t('Preferences')}
        </Link>
      </div>
    </>
  )
}
