import { BellOff, CheckCheck, Mail, MailOpen } from 'lucide-react'
import { useEffect } from 'react'
import { type NotificationTopic, NotificationsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { MeTabs } from '@/features/me'
import { Line } from './line'
import { topicFor, topicNames, topics } from './topics'
import { useMark, useUnread } from './use-inbox'

/** All that one was told, the newest first. */
export function InboxPage() {
  const [url, setUrl] = useUrl<{ show: string; topic: string }>()
  const topic = url.topic && url.topic in topics ? (url.topic as NotificationTopic) : undefined
  const isStaff = useViewer().isPlatformStaff
  const unreadOnly = url.show === 'unread'
  const { rows, loading, fetching, fault, retry, more } = usePages(NotificationsDocument, { first: 30, filter: { unread: unreadOnly || undefined, topic } }, (d) => d.viewer.notifications)
  const unread = useUnread()
  useEffect(retry, [unread, retry])
  const { read, readAll } = useMark()
  const shown = unreadOnly ? rows.filter((n) => !n.readAt) : rows
  return (
    <>
      <MeTabs />
      <PageHead title={t('Inbox')} note={t('What you were told. Read lines are kept for 90 days.')}>
        {unread > 0 && (
          <Button size="sm" onClick={readAll}>
            <CheckCheck aria-hidden /> {t('Mark all as read')}
          </Button>
        )}
      </PageHead>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Segments
          label={t('Which')}
          value={unreadOnly ? 'unread' : 'all'}
          onChange={(show) => setUrl({ show: show === 'all' ? undefined : show })}
          options={[
            { value: 'all', label: t('All') },
            { value: 'unread', label: unread > 0 ? t('Unread ({{count}})', { count: unread }) : t('Unread') },
          ]}
        />
        <Select
          aria-label={t('Topic')}
          className="w-60"
          value={topic ?? 'any'}
          onChange={(next) => setUrl({ topic: next === 'any' ? undefined : next })}
          options={[{ value: 'any', label: t('All topics') }, ...topicNames.map((x) => ({ value: x.value as string, label: topicFor(x.value, isStaff)?.name ?? '' })).filter((x) => x.label)]}
        />
      </div>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={5} height="h-18" />}
        {!loading && !fault && shown.length === 0 && (
          <Empty icon={<BellOff aria-hidden />} title={unreadOnly ? t('All read') : t('Nothing yet')}>
            {unreadOnly ? t('New lines show here by themselves.') : isStaff ? t('You hear here when an account runs out of credits, or asks for more.') : t('You hear here when a budget passes a threshold, or somebody asks you for more.')}
          </Empty>
        )}
        {shown.length > 0 && (
          <ul aria-label={t('Inbox')} className="divide-y divide-line">
            {shown.map((n) => (
              <li key={n.id} className="flex items-center gap-1 p-1">
                <div className="min-w-0 grow">
                  <Line notification={n} onOpen={() => !n.readAt && void read(n.id)} />
                </div>
                <Button variant="ghost" size="icon" aria-label={n.readAt ? t('Mark as unread: {{title}}', { title: n.title }) : t('Mark as read: {{title}}', { title: n.title })} onClick={() => read(n.id, !n.readAt)}>
                  {n.readAt ? <Mail aria-hidden /> : <MailOpen aria-hidden />}
                </Button>
              </li>
            ))}
          </ul>
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
    </>
  )
}
