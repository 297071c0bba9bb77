import { Laptop, LogOut } from 'lucide-react'
import { useState } from 'react'
import { type AccountSessionFragment, AccountSessionsDocument, SessionRevokeDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may, useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import type { Item } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar, Forbidden } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { agentName, EndSessions, sessionKinds, UserPicker } from '@/features/users'

const nameOf = (s: AccountSessionFragment) => s.user?.name ?? s.supportAccess?.staffName ?? t('The platform')

/** Every signed-in browser of the account. */
export function SessionsPage() {
  const { support, account } = useViewer()
  if (!support) return <AllSessions />
  return (
    <Card>
      <Forbidden need={t("to be one of the account's own people")} ask={t('an admin of {{account}}', { account: account.name })} />
    </Card>
  )
}

function AllSessions() {
  const [url, setUrl] = useUrl<{ user: string }>()
  // The picker keeps the name; the address keeps the person.
  const [person, setPerson] = useState<Item | null>(null)
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(AccountSessionsDocument, { userId: url.user }, (d) => d.account?.sessions)
  const revoke = useMutate(SessionRevokeDocument)
  const [ending, setEnding] = useState<string>()
  const revocable = may(data?.account, 'session.revoke')
  const chosen = person?.value === url.user ? person : url.user && rows[0]?.user ? { value: url.user, label: rows[0].user.name, note: rows[0].user.email } : null
  const end = async (s: AccountSessionFragment) => {
    setEnding(s.id)
    const payload = await revoke.run({ input: { sessionId: s.id } })
    setEnding(undefined)
    if (payload) toast(payload.errors[0]?.message ?? t('{{name}} is signed out of {{agent}}', { name: nameOf(s), agent: agentName(s.userAgent) }))
  }
  return (
    <>
      <PageHead title={t('Sessions')} note={t('Every browser that is signed in to the account. Ending one holds within a second, everywhere.')} />
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <div className="w-full sm:w-72">
          <UserPicker
            aria-label={t('Sessions of')}
            value={chosen}
            onChange={(user) => {
              setPerson(user)
              setUrl({ user: user.value })
            }}
          />
        </div>
        {url.user && (
          <Button size="sm" variant="ghost" onClick={() => setUrl({ user: undefined })}>
            {t('Show everybody')}
          </Button>
        )}
        <span className="grow" />
        {url.user && revocable && rows.length > 0 && <EndSessions userId={url.user} label={t('End all of {{name}}', { name: chosen?.label ?? t('this person') })} />}
      </div>
      {(fault ?? revoke.fault) && (
        <div className="mb-4">
          <ErrorBar fault={(fault ?? revoke.fault)!} retry={fault ? retry : undefined} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={8} height="h-14" />}
        {data?.account?.sessions && rows.length === 0 && <Empty icon={<Laptop aria-hidden />} title={url.user ? t('Not signed in anywhere') : t('Nobody is signed in')} />}
        {rows.length > 0 && (
          <Table label={t('Sessions')}>
            <Head>
              <Th>{t('Who')}</Th>
              <Th>{t('Where')}</Th>
              <Th wide>{t('Signed in')}</Th>
              <Th wide>{t('Seen')}</Th>
              <Th wide>{t('Ends')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {rows.map((s) => (
                <tr key={s.id} className={rowClass}>
                  <Td>
                    <div className="flex min-w-0 items-center gap-3">
                      <span className="max-sm:hidden">
                        <Avatar name={nameOf(s)} />
                      </span>
                      <div className="min-w-0">
                        <span className="block max-w-56 truncate font-medium max-sm:max-w-28">{nameOf(s)}</span>
                        <span className="block max-w-56 truncate text-xs text-muted max-sm:max-w-28">{s.user?.email ?? t('of the platform')}</span>
                      </div>
                    </div>
                  </Td>
                  <Td>
                    <span className="flex flex-wrap items-center gap-x-2" title={s.userAgent}>
                      {agentName(s.userAgent)}
                      {s.current && <Badge tone="ok">{t('This browser')}</Badge>}
                      {s.kind === 'SUPPORT' && <Badge tone="bad">{t('Support')}</Badge>}
                    </span>
                    <span className="block text-xs text-muted">{s.ip}</span>
                  </Td>
                  <Td wide className="text-muted">
                    <time title={utc(s.createdAt)}>{dateTime(s.createdAt)}</time>
                    <span className="block text-xs">{sessionKinds[s.kind]}</span>
                  </Td>
                  <Td wide className="whitespace-nowrap text-muted">
                    <time title={utc(s.lastSeenAt)}>{ago(s.lastSeenAt)}</time>
                  </Td>
                  <Td wide className="whitespace-nowrap text-muted">
                    <time title={utc(s.expiresAt)}>{dateTime(s.expiresAt)}</time>
                  </Td>
                  <Td className="w-0 text-end">
                    {revocable && !s.current && (
                      <Button variant="ghost" size="sm" busy={ending === s.id} onClick={() => end(s)} aria-label={t('Sign out {{name}}, {{agent}}', { name: nameOf(s), agent: agentName(s.userAgent) })}>
                        <LogOut aria-hidden /> <span className="max-sm:hidden">{t('Sign out')}</span>
                      </Button>
                    )}
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} sessions', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
    </>
  )
}
