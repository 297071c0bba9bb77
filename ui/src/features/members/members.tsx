import { Users } from 'lucide-react'
import { useState } from 'react'
import { type MemberPartsFragment, MembersDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { dateTime, day } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useDebounced } from '@/lib/debounce'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { BudgetPeek, Used } from '@/features/budgets'

const roleName = { ADMIN: t('Admin'), VIEWER: t('Auditor'), MEMBER: t('User') }

export function MembersPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<{ q: string; peek: string }>()
  const search = useDebounced(url.q ?? '')
  return (
    <>
      <PageHead title={t('Users')} note={t('People with a seat in {{plane}}, and what they have left.', { plane: nameOf(plane) })}>
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search names and e-mails')} />
      </PageHead>
      {/* Another search starts at its first page. */}
      <List key={search} plane={plane} search={search} onPeek={(peek) => setUrl({ peek })} />
      {url.peek && <BudgetPeek key={url.peek} id={url.peek} plane={plane} onClose={() => setUrl({ peek: undefined })} />}
    </>
  )
}

function List({ plane, search, onPeek }: { plane: Plane; search: string; onPeek: (id: string) => void }) {
  const [after, setAfter] = useState<string>()
  const [earlier, setEarlier] = useState<readonly MemberPartsFragment[]>([])
  const { data, loading, fetching, fault, retry } = useRead(MembersDocument, { ...ask(plane), search: search || undefined, after })
  const list = pick(data)?.members
  const page = list?.edges.map((e) => e.node) ?? []
  const members = [...earlier.filter((m) => page.every((p) => p.id !== m.id)), ...page]
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={8} height="h-14" />}
        {list && members.length === 0 && (
          <Empty icon={<Users aria-hidden />} title={search ? t('Nobody matches') : t('Nobody has a seat here yet')}>
            {search && t('The search looks into names and e-mail addresses of people within your reach.')}
          </Empty>
        )}
        {members.length > 0 && (
          <>
            <Table label={t('Users')}>
              <Head>
                <Th>{t('User')}</Th>
                <Th wide>{t('Team')}</Th>
                <Th wide>{t('Roles')}</Th>
                <Th wide>{t('Status')}</Th>
                <Th className="w-64 max-sm:w-36">{plane === 'CONSOLE' ? t('Used of limit') : t('Credits used of limit')}</Th>
                <Th wide>{t('Since')}</Th>
              </Head>
              <tbody>
                {members.map((m) => (
                  <tr key={m.id} className={rowClass}>
                    <Td>
                      <div className="flex min-w-0 items-center gap-3">
                        <span className="max-sm:hidden">
                          <Avatar name={m.name} />
                        </span>
                        <div className="min-w-0">
                          <button type="button" data-row-link onClick={() => onPeek(m.id)} className="block rounded-sm text-start font-medium hover:underline">
                            {m.name}
                          </button>
                          <span className="block max-w-56 truncate text-xs text-muted max-sm:max-w-32">{m.user.email}</span>
                        </div>
                      </div>
                    </Td>
                    <Td wide>{m.location}</Td>
                    <Td wide>
                      <span className="flex flex-wrap gap-1">
                        {m.roles
                          .filter((r) => r.role !== 'MEMBER')
                          .map((r) => (
                            <Badge key={r.role + r.label + r.kind} tone="accent">
                              {[roleName[r.role], r.label].filter(Boolean).join(' · ')}
                            </Badge>
                          ))}
                        {m.roles.every((r) => r.role === 'MEMBER') && <span className="text-muted">{t('User')}</span>}
                      </span>
                    </Td>
                    <Td wide>
                      <Badge tone={m.user.status === 'ACTIVE' ? 'ok' : 'plain'}>{m.user.status === 'ACTIVE' ? t('Active') : t('Deactivated')}</Badge>
                    </Td>
                    <Td>{m.budget ? <Used state={m.budget.state} name={m.name} /> : <span className="text-muted">{t("The team's")}</span>}</Td>
                    <Td wide className="whitespace-nowrap text-muted">
                      <time title={dateTime(m.createdAt)}>{day(m.createdAt)}</time>
                    </Td>
                  </tr>
                ))}
              </tbody>
            </Table>
            <div className="flex items-center justify-between gap-2 border-t border-line px-4 py-2 text-xs text-muted">
              {t('{{count}} users', { count: list?.totalCount ?? members.length })}
              {list?.pageInfo.hasNextPage && (
                <Button
                  variant="ghost"
                  size="sm"
                  busy={fetching}
                  onClick={() => {
                    setEarlier(members)
                    setAfter(list.pageInfo.endCursor ?? undefined)
                  }}
                >
                  {t('Show more')}
                </Button>
              )}
            </div>
          </>
        )}
      </Card>
    </>
  )
}
