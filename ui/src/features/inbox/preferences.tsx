import { NotificationPreferencesDocument, NotificationPreferenceSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { MeTabs } from '@/features/me'
import { topicFor, topics } from './topics'

/** How one hears of what. */
export function PreferencesPage() {
  const { data, loading, fault, retry } = useRead(NotificationPreferencesDocument, {})
  const set = useMutate(NotificationPreferenceSetDocument)
  const isStaff = useViewer().isPlatformStaff
  const save = async (input: { topic: keyof typeof topics; inbox: boolean; mail: boolean }) => {
    const payload = await set.run({ input })
    if (payload?.errors[0]) toast(payload.errors[0].message)
    retry()
  }
  return (
    <>
      <MeTabs />
      <PageHead title={t('Notifications')} note={isStaff ? t('How you hear of what accounts need of the platform.') : t('How you hear of what concerns your budgets and teams.')} />
      {(fault ?? set.fault) && (
        <div className="mb-4">
          <ErrorBar fault={(fault ?? set.fault)!} retry={retry} />
        </div>
      )}
      <Card className="max-w-3xl">
        {loading && <SkeletonRows rows={9} height="h-15" />}
        {data?.viewer.notificationPreferences && (
          <Table label={t('Notifications')}>
            <Head>
              <Th>{t('Topic')}</Th>
              <Th className="w-20 text-center">{t('Inbox')}</Th>
              <Th className="w-20 text-center">{t('Mail')}</Th>
            </Head>
            <tbody>
              {data.viewer.notificationPreferences.map((p) => {
                const { icon: Icon, tone } = topics[p.topic]
                const { name, about } = topicFor(p.topic, isStaff) ?? topics[p.topic]
                return (
                  <tr key={p.topic} className={rowClass}>
                    <Td>
                      <span className="flex items-start gap-3">
                        <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${tone}`} />
                        <span>
                          <span className="block font-medium">{name}</span>
                          <span className="block text-xs text-muted">{about}</span>
                        </span>
                      </span>
                    </Td>
                    <Td className="text-center">
                      <Switch label={t('{{topic}} in the inbox', { topic: name })} checked={p.inbox} onChange={(inbox) => save({ topic: p.topic, inbox, mail: p.mail })} />
                    </Td>
                    <Td className="text-center">
                      <Switch label={t('{{topic}} by mail', { topic: name })} checked={p.mail} onChange={(mail) => save({ topic: p.topic, inbox: p.inbox, mail })} />
                    </Td>
                  </tr>
                )
              })}
            </tbody>
          </Table>
        )}
      </Card>
      <p className="mt-3 max-w-3xl text-xs text-muted">{t('Mails go out where this Cockpit has a mail server. The inbox has its bell at the top of every page.')}</p>
    </>
  )
}
