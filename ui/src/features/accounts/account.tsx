import { Link } from '@tanstack/react-router'
import { ArrowLeft, Circle, CircleCheck, LoaderCircle, LogIn } from 'lucide-react'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { AccountOfDocument, type AccountOfQuery } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may, type Viewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button, buttonClass } from '@/kit/button'
import { Card, CardHead, Stat } from '@/kit/card'
import { Facts, Id } from '@/kit/facts'
import { Notice } from '@/kit/notice'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { compactMoney, count, dateTime, exact, money, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { minutesWords } from '@/lib/span'
import { useUrl } from '@/lib/url'
import { Used } from '@/features/budgets'
import { VerifiedDomains } from '@/features/domains'
import { EnterAccount, SupportList } from '@/features/support'
import { Credits, mayGrant } from './credits'
import { DangerZone } from './danger'
import { Dispatch } from './dispatch'
import { Factors } from './factors'
import { Grant } from './grant'
import { statusLook } from './status'

export type AccountOf = NonNullable<AccountOfQuery['account']>

const parts = ['overview', 'credits', 'domains', 'support', 'danger'] as const
type Part = (typeof parts)[number]

/** One customer as the platform sees it. */
export function AccountPage({ id, onEntered }: { id: string; onEntered: (viewer: Viewer) => void }) {
  const [url, setUrl] = useUrl<{ tab: string }>()
  const filter = useMemo(() => span('30d'), [])
  const { data, loading, fault, retry } = useRead(AccountOfDocument, { id, filter })
  const [entering, setEntering] = useState(false)
  const a = data?.account
  const running = Boolean(a?.deletingAt && !a.deletedAt)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(retry, 3000)
    return () => clearInterval(timer)
  }, [running, retry])
  const part = parts.find((p) => p === url.tab) ?? 'overview'
  const mayChange = (['account.planes', 'account.suspend', 'account.close'] as const).some((action) => may(a, action))
  return (
    <>
      <Link to="/sa/accounts" className="mb-2 -ms-1 inline-flex h-6 items-center gap-1.5 rounded-sm px-1 text-xs text-muted hover:text-fg">
        <ArrowLeft aria-hidden className="size-3.5" /> {t('Accounts')}
      </Link>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && (
        <div className="flex flex-col gap-4">
          <SkeletonBlock className="h-11" />
          <SkeletonBlock className="h-9" />
          <SkeletonBlock className="h-96" />
        </div>
      )}
      {data && !a && !fault && (
        <Card>
          <Empty page title={t('There is no such account')}>{t('The address may be old or mistyped.')}</Empty>
        </Card>
      )}
      {a && (
        <>
          <PageHead title={a.name} badge={<Badge tone={statusLook[a.status].tone}>{statusLook[a.status].label}</Badge>} note={<Id id={a.id} />}>
            {may(a, 'account.update') && a.status !== 'CLOSED' && (
              <Link to="/sa/accounts/$id/what-if" params={{ id: a.id }} className={buttonClass({ size: 'sm' })}>
                {t('What if')}
              </Link>
            )}
            {may(a, 'support.start') && a.status === 'ACTIVE' && (
              <Button size="sm" onClick={() => setEntering(true)}>
                <LogIn aria-hidden /> {t('Enter account…')}
              </Button>
            )}
          </PageHead>
          <State account={a} />
          {a.status === 'CLOSED' && <Ending account={a} />}
          <Tabs<Part>
            label={t('Parts of {{name}}', { name: a.name })}
            value={part}
            onChange={(tab) => setUrl({ tab: tab === 'overview' ? undefined : tab })}
            tabs={[
              { value: 'overview', label: t('Overview'), content: <Overview account={a} onChanged={retry} onCredits={() => setUrl({ tab: 'credits' })} /> },
              { value: 'credits', label: t('Credits'), content: <Credits account={a} /> },
              { value: 'domains', label: t('Domains'), content: <VerifiedDomains account={a} mayApprove={may(a, 'domain.approve') && a.status !== 'CLOSED'} /> },
              { value: 'support', label: t('Support'), content: <SupportList accountId={a.id} onEnter={onEntered} /> },
              ...(mayChange ? [{ value: 'danger' as const, label: t('Danger zone'), content: <DangerZone account={a} /> }] : []),
            ]}
          />
          {entering && <EnterAccount account={a} onClose={() => setEntering(false)} onEntered={onEntered} />}
        </>
      )}
    </>
  )
}

function State({ account: a }: { account: AccountOf }) {
  if (a.deletedAt) return <Notice tone="bad" className="mb-4" title={t('Deleted {{when}}', { when: dateTime(a.deletedAt) })}>{t('Only its name and the ledger remain, in opaque ids and amounts.')}</Notice>
  if (a.deletingAt) {
    return (
      <Notice tone="bad" className="mb-4" title={t('Being deleted')}>
        {t('Bit by bit, once its last calls are settled. This page says when it is done.')}
      </Notice>
    )
  }
  if (a.status === 'CLOSED') {
    return (
      <Notice tone="bad" className="mb-4" title={a.closedAt ? t('Closed {{when}}', { when: dateTime(a.closedAt) }) : t('Closed')}>
        {a.statusReason}
      </Notice>
    )
  }
  if (a.status === 'SUSPENDED') {
    return (
      <Notice tone="warn" className="mb-4" title={t('Suspended: nobody of it signs in, and every call is refused')}>
        {a.statusReason}
      </Notice>
    )
  }
  return null
}

/** The way from closed to deleted, and how far the account is on it. */
function Ending({ account: a }: { account: AccountOf }) {
  const steps = [
    { name: t('Closed'), at: a.closedAt, next: '' },
    { name: t('Deletion asked for'), at: a.deletingAt, next: t('Not yet: its data is kept') },
    { name: t('Deleted'), at: a.deletedAt, next: a.deletingAt ? t('Running') : '–' },
  ]
  return (
    <Card className="mb-4 px-4 py-3">
      <ol className="grid gap-x-6 gap-y-3 sm:grid-cols-3">
        {steps.map((s) => (
          <li key={s.name} aria-current={!s.at && s.next === t('Running') ? 'step' : undefined} className="flex items-start gap-2.5">
            {s.at ? <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" /> : s.next === t('Running') ? <LoaderCircle aria-hidden className="mt-0.5 size-4 shrink-0 animate-spin text-accent" /> : <Circle aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />}
            <span>
              <span className="block font-medium">{s.name}</span>
              <span className="block text-xs text-muted">{s.at ? <time dateTime={s.at} title={utc(s.at)}>{dateTime(s.at)}</time> : s.next}</span>
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

function Overview({ account: a, onChanged, onCredits }: { account: AccountOf; onChanged: () => void; onCredits: () => void }) {
  const [granting, setGranting] = useState(false)
  const pool = a.root?.budget
  const none = <span className="text-muted">–</span>
  return (
    <div className="flex flex-col gap-4">
      <div className="grid grid-cols-2 gap-4 xl:grid-cols-4">
        <Stat label={t('Users')} value={a.userCount === null || a.userCount === undefined ? none : count(a.userCount)} note={t('of the account, in any plane')} />
        <Stat label={t('Copilot cost, 30 days')} value={a.copilot ? compactMoney(a.copilot.cost ?? '0', 'USD') : none} note={a.copilot ? t('{{count}} calls', { count: a.copilot.calls }) : ''} />
        <Stat label={t('Credits, 30 days')} value={a.copilot ? compactMoney(a.copilot.amount, 'CREDITS') : none} note={a.creditFactor ? t('{{credits}} credits per $', { credits: exact(a.creditFactor, 'CREDITS') }) : ''} />
        <Stat label={t('Console spend, 30 days')} value={a.console ? compactMoney(a.console.amount, 'USD') : none} note={t("at the account's own providers")} />
      </div>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Card>
          <CardHead title={t('Credits')} note={t('Its organizations and teams get theirs from it')}>
            <span className="flex gap-1.5">
              {pool && (
                <Button size="sm" variant="ghost" onClick={onCredits}>
                  {t('Manage')}
                </Button>
              )}
              {mayGrant(a) && (
                <Button size="sm" onClick={() => setGranting(true)}>
                  {t('Grant credits')}
                </Button>
              )}
            </span>
          </CardHead>
          <div className="px-4 pb-4">
            {pool ? (
              <>
                <Used state={pool.state} name={a.name} />
                <p className="mt-2 text-xs text-muted">{t('{{remaining}} are left of this cycle.', { remaining: money(pool.state.remaining, 'CREDITS') })}</p>
              </>
            ) : (
              <p className="text-muted">{a.planes.includes('COPILOT') ? t('No pool yet: every call in Copilot is refused.') : t("It doesn't use Copilot.")}</p>
            )}
          </div>
        </Card>
        <Factors account={a} onChanged={onChanged} />
        <Card>
          <CardHead title={t('Entitlements')} />
          <div className="px-4 pb-4">
            <Facts
              className="grid-cols-[10rem_1fr]"
              facts={[
                [t('Products'), <Planes key="p" planes={a.planes} />],
                [t('In addresses'), <code key="s" className="font-mono text-xs">{`/a/${a.slug}`}</code>],
                [t('Time zone'), a.timeZone],
                [t('Single sign-on'), a.ssoEnforced ? t('Enforced') : t('Not enforced')],
                a.sessionLifetimeMinutes && a.sessionIdleMinutes ? [t('Sessions'), t('{{lifetime}} at most, {{idle}} idle', { lifetime: minutesWords(a.sessionLifetimeMinutes), idle: minutesWords(a.sessionIdleMinutes) })] : null,
                a.auditRetentionDays === null || a.auditRetentionDays === undefined ? null : [t('Audit log'), a.auditRetentionDays === 0 ? t('Kept for good') : t('Kept for {{count}} days', { count: a.auditRetentionDays })],
                [t('Since'), <time key="c" title={utc(a.createdAt)}>{dateTime(a.createdAt)}</time>],
              ]}
            />
          </div>
        </Card>
        <Dispatch account={a} />
      </div>
      <p className="text-xs text-muted">
        {t('People, prompts, secrets and conversations of an account are closed to the platform. What was done to it stands in the')}{' '}
        <Link to="/sa/audit" className="rounded-sm text-accent-text underline underline-offset-2">
          {t('audit log')}
        </Link>
        .
      </p>
      {granting && a.root && <Grant account={a} root={a.root} onClose={() => setGranting(false)} />}
    </div>
  )
}

function Planes({ planes }: { planes: AccountOf['planes'] }): ReactNode {
  return (
    <span className="flex flex-wrap gap-1">
      {planes.map((p) => (
        <Badge key={p}>{nameOf(p)}</Badge>
      ))}
    </span>
  )
}

