import { SettingsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Badge } from '@/kit/badge'
import { buttonClass } from '@/kit/button'
import { Card } from '@/kit/card'
import { CopyButton } from '@/kit/copy'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { count, dateTime, exact } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { statusLook } from './accounts'

/** What the account is; changing it comes from the platform. */
export function SettingsPage() {
  const { data, loading, fault, retry } = useRead(SettingsDocument, {})
  const a = data?.account
  const facts: [string, React.ReactNode][] = a
    ? [
        [t('Name'), a.name],
        [t('In addresses'), <code key="slug" className="font-mono text-xs">{`/a/${a.slug}`}</code>],
        [
          t('Status'),
          <Badge key="status" tone={statusLook[a.status].tone}>
            {statusLook[a.status].label}
          </Badge>,
        ],
        [t('Planes'), a.planes.map(nameOf).join(', ')],
        [t('Time zone'), t('{{zone}}; cycles begin at its midnight', { zone: a.timeZone })],
        [t('Users'), a.userCount === null || a.userCount === undefined ? '–' : count(a.userCount)],
        [t('Credits per US dollar'), a.creditFactor ? exact(a.creditFactor, 'CREDITS') : '–'],
        [t('Since'), dateTime(a.createdAt)],
        [
          t('Id'),
          <span key="id" className="flex items-center gap-1">
            <code className="font-mono text-xs">{a.id}</code>
            <CopyButton compact text={a.id} label={t('Copy id')} />
          </span>,
        ],
      ]
    : []
  return (
    <>
      <PageHead title={t('Account')} note={t('Its settings are kept by the platform.')}>
        <a href="/graphiql" className={buttonClass({ size: 'sm' })}>
          {t('Open GraphiQL')}
        </a>
      </PageHead>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      <Card>
        {loading && <SkeletonRows rows={8} height="h-11" />}
        <dl>
          {facts.map(([name, value]) => (
            <div key={name} className="flex min-h-11 flex-wrap items-center gap-x-4 border-b border-line px-4 py-2 last:border-b-0">
              <dt className="w-48 text-muted">{name}</dt>
              <dd className="min-w-0">{value}</dd>
            </div>
          ))}
        </dl>
      </Card>
    </>
  )
}
