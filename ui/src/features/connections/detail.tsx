import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowLeft, KeyRound, LogIn, LogOut, Pencil, Plug, RotateCw } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { ConnectionDiscoverDocument, ConnectionDocument, type ConnectionPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Facts, Id } from '@/kit/facts'
import { Notice } from '@/kit/notice'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { ago, count, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { ResourceGrants } from '@/features/access'
import { placeName } from '@/features/roles'
import { Acts } from './acts'
import { isLed } from './draft'
import { EditConnection } from './edit'
import { healthOf, needsSignIn } from './health'
import { Outcome } from './outcome'
import { SetSecret, SignOut, tells, useSignIn } from './secret'
import { Tools } from './tools'
import { authNames, ConnectionIcon, credentialName, HealthBadge, kindNames } from './words'

type Home = 'plane' | 'me'

/** One connection: its tools, who may use them, how it does, and how it signs in. */
export function ConnectionPage({ id, home }: { id: string; home: Home }) {
  const { data, loading, fault, retry } = useRead(ConnectionDocument, { id })
  const connection = data?.node && 'toolCounts' in data.node ? data.node : undefined
  if (fault && !connection) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonBlock className="h-96" />
  if (!connection) {
    return (
      <Card>
        <Empty page icon={<Plug aria-hidden />} title={t('There is no such connection')}>
          {t('It was deleted, or it lies outside of your reach.')}
        </Empty>
      </Card>
    )
  }
  return <Page key={connection.id} connection={connection} home={home} />
}

function Page({ connection: c, home }: { connection: ConnectionPartsFragment; home: Home }) {
  const viewer = useViewer()
  const navigate = useNavigate()
  const [url, setUrl] = useUrl<{ tab: string }>()
  const [editing, setEditing] = useState(false)
  const discover = useMutate(ConnectionDiscoverDocument)
  const [refusal, setRefusal] = useState<string>()
  const plane = { account: viewer.account.slug, plane: 'copilot' }
  const back = () => (home === 'me' ? navigate({ to: '/me/connections' }) : navigate({ to: '/a/$account/$plane/connections', params: plane }))
  const look = async () => {
    setRefusal(undefined)
    const payload = await discover.run({ input: { connectionId: c.id } })
    if (!payload) return
    if (payload.errors[0]) return setRefusal(payload.errors[0].message)
    toast(t('{{name}} was looked at', { name: c.name }))
  }
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-3">
        <div className="flex min-w-0 grow basis-80 items-center gap-3">
          <Link to={home === 'me' ? '/me/connections' : '/a/$account/$plane/connections'} params={home === 'me' ? {} : plane} aria-label={t('Back')} className="rounded-md p-1.5 text-muted hover:bg-hover">
            <ArrowLeft aria-hidden className="size-4" />
          </Link>
          <ConnectionIcon of={c} className="size-10" />
          <div className="min-w-0">
            <div className="flex flex-wrap items-center gap-2">
              <h1 className="text-xl font-semibold tracking-tight break-all">{c.name}</h1>
              <HealthBadge connection={c} />
              <Badge>{kindNames[c.kind]}</Badge>
            </div>
            <p className="text-sm text-muted">{c.description || placeName(c.scope, c.location, viewer.account.name)}</p>
          </div>
        </div>
        <div className="flex items-center gap-2 max-sm:w-full">
          {may(c, 'connection.discover') && c.status === 'ACTIVE' && (
            <Button size="sm" busy={discover.busy} onClick={() => void look()} className="max-sm:grow">
              <RotateCw aria-hidden /> {t('Look again')}
            </Button>
          )}
          {may(c, 'connection.update') && (
            <Button size="sm" onClick={() => setEditing(true)} className="max-sm:grow">
              <Pencil aria-hidden /> {t('Edit')}
            </Button>
          )}
          <Acts connection={c} onGone={() => void back()} />
        </div>
      </div>
      <Returned connection={c} />
      {(discover.fault ?? refusal) && (
        <div className="mb-4">
          <ErrorBar fault={discover.fault ?? { code: 'REFUSED', message: refusal! }} />
        </div>
      )}
      {c.health.error && healthOf(c) !== 'off' && (
        <Notice tone="bad" title={t('It didn’t answer when it was looked at last')} className="mb-4">
          {c.health.error}
        </Notice>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className={cx('min-w-0', needsSignIn(c) && 'max-lg:order-2')}>
          <Tabs
            label={t('Parts of {{name}}', { name: c.name })}
            value={url.tab ?? 'tools'}
            onChange={(tab) => setUrl({ tab: tab === 'tools' ? undefined : tab })}
            tabs={[
              { value: 'tools', label: t('Tools'), content: <Tools connection={c} /> },
              {
                value: 'access',
                label: t('Access'),
                content: (
                  <Card>
                    <ResourceGrants plane="COPILOT" resource={c} note={t('Of the whole connection: it reaches all of its approved tools. Single tools are granted in their own panels.')} />
                  </Card>
                ),
              },
            ]}
          />
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <SignedIn connection={c} home={home} />
          <HealthCard connection={c} />
          <About connection={c} />
        </div>
      </div>
      {editing && <EditConnection connection={c} onClose={() => setEditing(false)} />}
    </>
  )
}

function Returned({ connection: c }: { connection: ConnectionPartsFragment }) {
  const { signIn, busy } = useSignIn()
  return <Outcome name={c.name} again={isLed(c) ? () => void signIn(c.id, location.pathname) : undefined} busy={busy} />
}

function Part({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <Card>
      <CardHead title={title}>{action}</CardHead>
      <div className="px-4 pb-4">{children}</div>
    </Card>
  )
}

const narrow = 'grid-cols-[6rem_1fr] max-sm:grid-cols-[6.5rem_1fr]'

/** How the reader stands with it, or all do. */
function SignedIn({ connection: c, home }: { connection: ConnectionPartsFragment; home: Home }) {
  const [setting, setSetting] = useState(false)
  const [leaving, setLeaving] = useState(false)
  const { signIn, busy, fault } = useSignIn()
  const composio = c.kind === 'COMPOSIO'
  // A toolkit that needs no accounts has its API key alone.
  const leads = composio ? c.authConfig !== '' : c.auth === 'OAUTH'
  const open = c.auth === 'NONE' && c.kind !== 'MCP_STDIO'
  const shared = c.credential === 'SHARED'
  // One's own is everybody's to set; that of all is for those in charge.
  const manages = may(c, 'connection.update')
  const sets = !shared || manages
  // Composio's key is for all, whoever's the accounts are.
  const gives = composio ? manages : !leads && sets
  const { ready, error, hint, scopes, since } = c.signedIn
  // Without a key that works nothing can be looked at, and nobody can link an account.
  const keyFirst = !ready && (!leads || (gives && Boolean(c.health.error ?? !c.health.checkedAt)))
  const back = `${home === 'me' ? '/me' : location.pathname.replace(/\/connections.*/, '')}/connections/${c.id}`
  return (
    <Part title={t('Sign-in')}>
      {open ? (
        <p className="text-muted">{t('The server is open to Cockpit: nobody signs in.')}</p>
      ) : (
        <div className="flex flex-col gap-3">
          <div>
            <Badge tone={ready ? 'ok' : 'warn'} dot>
              {composio ? (leads ? accountWords(ready, shared) : ready ? t('The API key is set') : t('No API key is set')) : ready ? (shared ? t('Signed in for all') : t('You are signed in')) : shared ? t('Nobody has signed it in') : t('You aren’t signed in')}
            </Badge>
            {error && <p className="mt-1 text-sm text-bad">{error}</p>}
          </div>
          <Facts
            className={narrow}
            facts={[
              [t('How'), composio ? (leads ? t('By an account at Composio') : t('By an API key of Composio')) : c.auth === 'HEADER' ? address(c.authName) : c.kind === 'MCP_STDIO' ? t('By variables') : authNames[c.auth]],
              [t('Whose'), credentialName(c)],
              tells(hint) && [composio ? t('Key ends in') : t('Ends in'), <code key="hint" className="font-mono text-xs">…{hint}</code>],
              scopes !== '' && [t('Granted'), scopes],
              since ? [t('Since'), <span key="since" title={utc(since)}>{dateTime(since)}</span>] : null,
            ]}
          />
          {fault && <ErrorBar fault={fault} />}
          {sets || gives ? (
            <div className="flex flex-wrap gap-2">
              {leads && sets && (
                <Button size="sm" variant={ready || keyFirst ? 'secondary' : 'primary'} busy={busy} onClick={() => void signIn(c.id, back)}>
                  <LogIn aria-hidden /> {composio ? (ready ? t('Link another account') : shared ? t('Link an account') : t('Link your account')) : ready ? t('Sign in anew') : t('Sign in')}
                </Button>
              )}
              {gives && (
                <Button size="sm" variant={keyFirst ? 'primary' : 'secondary'} onClick={() => setSetting(true)}>
                  <KeyRound aria-hidden /> {composio ? (tells(hint) ? t('Replace the API key') : t('Set the API key')) : ready ? t('Replace') : shared ? t('Set the secret') : t('Set your own')}
                </Button>
              )}
              {sets && (ready || since) && (
                <Button size="sm" onClick={() => setLeaving(true)}>
                  <LogOut aria-hidden /> {t('Sign out')}
                </Button>
              )}
            </div>
          ) : (
            !ready && <p className="text-xs text-muted">{t('Whoever manages the connection signs it in.')}</p>
          )}
          {composio && !shared && <p className="text-xs text-muted">{manages ? t('The API key is for all, and isn’t shown. Without it nobody can link an account.') : t('Whoever manages the connection sets its API key; you link your own account.')}</p>}
        </div>
      )}
      {setting && <SetSecret of={c} onClose={() => setSetting(false)} />}
      {leaving && <SignOut of={c} onClose={() => setLeaving(false)} />}
    </Part>
  )
}

const accountWords = (ready: boolean, shared: boolean) => (ready ? (shared ? t('An account is linked for all') : t('Your account is linked')) : shared ? t('No account is linked') : t('Your account isn’t linked'))

function HealthCard({ connection: c }: { connection: ConnectionPartsFragment }) {
  const h = c.health
  return (
    <Part title={t('Health')} action={<HealthBadge connection={c} />}>
      <Facts
        className={narrow}
        facts={[
          [t('Last look'), h.checkedAt ? <span key="at" title={utc(h.checkedAt)}>{ago(h.checkedAt)}</span> : t('Never')],
          Boolean(h.checkedAt) && [t('Answered in'), <span key="ms" className="num">{t('{{ms}} ms', { ms: count(h.latencyMs) })}</span>],
          h.discoveredAt ? [t('Tools read'), <span key="tools" title={utc(h.discoveredAt)}>{ago(h.discoveredAt)}</span>] : null,
          Boolean(h.discoveryError) && h.discoveryError !== h.error && [t('Left out'), <span key="left" className="text-warn">{h.discoveryError}</span>],
        ]}
      />
      {c.credential === 'PERSONAL' && c.kind !== 'COMPOSIO' && <p className="mt-2 text-xs text-muted">{t('Everybody has their own credential, so it is looked at when somebody uses it.')}</p>}
    </Part>
  )
}

const address = (s: string) => (
  <code key={s} className="font-mono text-xs break-all">
    {s}
  </code>
)

function About({ connection: c }: { connection: ConnectionPartsFragment }) {
  const account = useViewer().account.name
  return (
    <Part title={t('About')}>
      <Facts
        className={narrow}
        facts={[
          [t('Belongs to'), placeName(c.scope, c.location, account)],
          c.url !== '' && [t('Address'), address(c.url)],
          c.documentUrl !== '' && [t('Document'), address(c.documentUrl)],
          c.command.length > 0 && [t('Program'), address(c.command.join(' '))],
          c.toolkit !== '' && [t('Toolkit'), address(c.toolkit)],
          c.kind === 'COMPOSIO' && [t('Auth config'), c.authConfig ? address(c.authConfig) : t('None: no accounts are linked')],
          c.oauth && [t('Client id'), c.oauth.clientId ? address(c.oauth.clientId) : c.oauth.registered ? t('Cockpit has registered itself') : t('Cockpit registers itself at the first sign-in')],
          c.oauth && [t('Asks for'), c.oauth.scopes.join(' ') || t('Nothing in particular')],
          [t('Made'), <span key="made" title={utc(c.createdAt)}>{dateTime(c.createdAt)}</span>],
          [t('Id'), <Id key="id" id={c.id} />],
        ]}
      />
    </Part>
  )
}
