import { Link } from '@tanstack/react-router'
import type { NotificationPartsFragment } from '@/graphql/generated/graphql'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { topics } from './topics'

type Props = { notification: NotificationPartsFragment; onOpen: () => void; compact?: boolean }

/** A line of the inbox, which leads to what it is about. */
export function Line({ notification: n, onOpen, compact }: Props) {
  const { account } = useViewer()
  const { icon: Icon, tone } = topics[n.topic]
  const [path, query] = (/^\/(me|sa)\b/.test(n.link) ? n.link : `/a/${account.slug}${n.link}`).split('?')
  return (
    <Link
      to={path}
      // The link comes from the server: which search it has is for the page to judge.
      search={Object.fromEntries(new URLSearchParams(query)) as never}
      onClick={onOpen}
      data-row-link
      className="flex gap-3 rounded-md px-3 py-2.5 transition-colors hover:bg-hover"
    >
      <Icon aria-hidden className={cx('mt-0.5 size-4 shrink-0', tone)} />
      <span className="min-w-0 grow">
        <span className={cx('block text-sm', n.readAt ? 'text-muted' : 'font-medium')}>{n.title}</span>
        {n.body && <span className={cx('block text-xs text-muted', compact && 'line-clamp-2')}>{n.body}</span>}
        <span className="mt-0.5 flex items-center gap-2 text-xs text-muted">
          {n.plane && <Badge>{nameOf(n.plane)}</Badge>}
          <time dateTime={n.createdAt} title={utc(n.createdAt)}>
            {ago(n.createdAt)}
          </time>
        </span>
      </span>
      {!n.readAt && (
        <span className="mt-1.5 size-2 shrink-0 rounded-full bg-accent">
          <span className="sr-only">{t('Unread')}</span>
        </span>
      )}
    </Link>
  )
}
