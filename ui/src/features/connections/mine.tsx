import { Link, useNavigate } from '@tanstack/react-router'
import { KeyRound, LogIn, LogOut, Plug, Plus } from 'lucide-react'
import { useState } from 'react'
import { ConnectionsDocument, UsableConnectionsDocument, type UsableConnectionsQuery } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { readsPlane, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { MeTabs } from '@/features/me'
import { useWithin } from '@/features/roles'
import { CreateConnection } from './create'
import { isLed } from './draft'
import { Outcome } from './outcome'
import { SetSecret, SignOut, tells, useSignIn } from './secret'
import { ConnectionIcon, HealthBadge, kindNames } from './words'

/** The page that a sign-in comes back to. */
const back = (id: string) => `/me/connections?connection=${id}`

type Usable = NonNullable<UsableConnectionsQuery['copilot']>['usableConnections'][number]

/** What one may use: whether it works, in whose name, and which tools it has. */
export function MyConnectionsPage() {
  const viewer = useViewer()
  const navigate = useNavigate()
  const [url, setUrl] = useUrl<{ connection: string; error: string; connected: string }>()
  const copilot = viewer.account.planes.includes('COPILOT')
  const { data, loading, fault, retry } = useRead(UsableConnectionsDocument, {}, !copilot)
  // Whoever reads the plane makes and finds them there.
  const own = copilot && !readsPlane(viewer, 'COPILOT')
  const { allowed } = useWithin('connection.create', 'COPILOT')
  const [creating, setCreating] = useState(false)
  const { signIn, busy } = useSignIn()
  const usable = data?.copilot?.usableConnections ?? []
  const named = usable.find((c) => c.id === url.connection)
  const [setting, setSetting] = useState<Usable>()
  const [leaving, setLeaving] = useState<Usable>()
  // Whoever was sent here to give their key finds the form open.
  const asked = named && named.credential === 'PERSONAL' && !isLed(named) && !named.signedIn.ready ? named : undefined
  const form = setting ?? asked
  return (
    <>
      <MeTabs />
      <PageHead title={t('My connections')} note={t('Sources of tools that you may use in Copilot, and what you are signed in to.')}>
        {own && allowed && (
          <Button size="sm" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {t('New connection')}
          </Button>
        )}
      </PageHead>
      <Outcome name={named?.name} again={named && isLed(named) ? () => void signIn(named.id, back(named.id)) : undefined} busy={busy} />
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && copilot && <SkeletonBlock className="h-44" />}
      {(data || !copilot) && usable.length === 0 && !fault && (
        <Card>
          <Empty icon={<Plug aria-hidden />} title={t('Nothing to use yet')}>
            {t('Connections show here once a tool of theirs is allowed to your seat. Ask an admin of {{account}}.', { account: viewer.account.name })}
          </Empty>
        </Card>
      )}
      <ul className="grid items-start gap-3 lg:grid-cols-2">
        {usable.map((c) => (
          <li key={c.id}>
            <One connection={c} back={back(c.id)} onSet={() => setSetting(c)} onLeave={() => setLeaving(c)} />
          </li>
        ))}
      </ul>
      {own && <Own />}
      {usable.length > 0 && <p className="mt-4 text-sm text-muted">{t('Programs and agents call these tools at /mcp, with your keys or tokens.')}</p>}
      {form && (
        <SetSecret
          of={form}
          onClose={() => {
            setSetting(undefined)
            setUrl({ connection: undefined })
          }}
        />
      )}
      {leaving && <SignOut of={leaving} onClose={() => setLeaving(undefined)} />}
      {creating && <CreateConnection onClose={() => setCreating(false)} onOpen={(id) => void navigate({ to: '/me/connections/$connection', params: { connection: id } })} />}
    </>
  )
}

/** Those that one's own seat has, whether anything of them can be used yet or not. */
function Own() {
  const { data } = useRead(ConnectionsDocument, {})
  const rows = (data?.copilot?.connections.edges ?? []).map((e) => e.node).filter((c) => c.scope.kind === 'MEMBER')
  if (rows.length === 0) return null
  return (
    <Card className="mt-4">
      <CardHead title={t('Of my own')} note={t('You approve what they offer, for yourself.')} />
      <ul className="border-t border-line">
        {rows.map((c) => (
          <li key={c.id} className="flex items-center gap-3 border-b border-line px-4 py-2.5 last:border-b-0">
            <ConnectionIcon of={c} />
            <Link to="/me/connections/$connection" params={{ connection: c.id }} className="min-w-0 grow rounded-sm font-medium break-all hover:underline">
              {c.name}
            </Link>
            <HealthBadge connection={c} />
          </li>
        ))}
      </ul>
    </Card>
  )
}

function One({ connection: c, back, onSet, onLeave }: { connection: Usable; back: string; onSet: () => void; onLeave: () => void }) {
  const { signIn, busy, fault } = useSignIn()
  const [all, setAll] = useState(false)
  const own = c.credential === 'PERSONAL' && (c.auth !== 'NONE' || c.kind === 'MCP_STDIO')
  const account = c.kind === 'COMPOSIO'
  const { ready, error, hint, since } = c.signedIn
  const most = 6
  return (
    <Card className="px-4 py-3.5">
      <div className="flex items-start gap-3">
        <ConnectionIcon of={c} />
        <div className="min-w-0 grow">
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="font-medium break-all">{c.name}</h2>
            <Badge tone={ready ? 'ok' : 'warn'} dot>
              {ready ? t('Ready') : own ? (account ? t('Link your account first') : isLed(c) ? t('Sign in first') : t('Needs your key')) : t('Not signed in')}
            </Badge>
          </div>
          <p className="text-sm text-muted">{c.description || kindNames[c.kind]}</p>
        </div>
      </div>
      {error && <p className="mt-2 text-sm text-bad">{error}</p>}
      {!ready && !own && <p className="mt-2 text-sm text-muted">{t('One sign-in is for all; whoever manages it has to renew it.')}</p>}
      <p className="mt-2 text-xs text-muted">
        {own ? t('In your own name') : c.auth === 'NONE' ? t('No sign-in needed') : t('One sign-in for all')}
        {own && tells(hint) && ` · ${t('ends in {{hint}}', { hint })}`}
        {own && since && ` · ${t('since {{when}}', { when: dateTime(since) })}`}
      </p>
      <ul className="mt-2 flex flex-wrap gap-1" aria-label={t('Tools of {{name}}', { name: c.name })}>
        {(all ? c.tools : c.tools.slice(0, most)).map((name) => (
          <li key={name} className="max-w-full rounded-sm bg-hover px-1.5 py-0.5 font-mono text-xs break-all">
            {name}
          </li>
        ))}
        {c.tools.length > most && (
          <li>
            <button type="button" aria-expanded={all} onClick={() => setAll(!all)} className="min-h-6 rounded-sm px-1.5 text-xs font-medium text-accent-text hover:underline">
              {all ? t('Fewer') : t('{{n}} more', { n: c.tools.length - most })}
            </button>
          </li>
        )}
      </ul>
      {fault && (
        <div className="mt-3">
          <ErrorBar fault={fault} />
        </div>
      )}
      {own && (
        <div className="mt-3 flex flex-wrap gap-2">
          {isLed(c) ? (
            <Button size="sm" variant={ready ? 'secondary' : 'primary'} busy={busy} onClick={() => void signIn(c.id, back)}>
              <LogIn aria-hidden /> {account ? (ready ? t('Link another account') : t('Link your account')) : ready ? t('Sign in anew') : t('Sign in')}
            </Button>
          ) : (
            <Button size="sm" variant={ready ? 'secondary' : 'primary'} onClick={onSet}>
              <KeyRound aria-hidden /> {ready ? t('Replace your key') : t('Give your key')}
            </Button>
          )}
          {ready && (
            <Button size="sm" onClick={onLeave}>
              <LogOut aria-hidden /> {t('Sign out')}
            </Button>
          )}
        </div>
      )}
    </Card>
  )
}
