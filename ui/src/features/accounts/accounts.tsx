import { Link, useNavigate } from '@tanstack/react-router'
import { Building2, Plus } from 'lucide-react'
import { useMemo, useState } from 'react'
import { AccountsDocument, type AccountStatus, type AccountsQuery } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { useDebounced } from '@/lib/debounce'
import { count, day, exact, money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { nameOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { useUrl } from '@/lib/url'
import { Used } from '@/features/budgets'
import { CreateAccount } from './create'
import { mayGrant } from './credits'
import { Grant } from './grant'
import { statusLook } from './status'

type Account = NonNullable<AccountsQuery['platform']>['accounts']['edges'][number]['node']

const statuses = [{ value: 'ALL', label: t('Every status') }, ...(Object.keys(statusLook) as AccountStatus[]).map((value) => ({ value, label: statusLook[value].label }))]

/** Every customer; each opens into a page of its own. */
export function AccountsPage() {
  const [url, setUrl] = useUrl<{ q: string; status: string; new: string }>()
  const navigate = useNavigate()
  const filter = useMemo(() => span('30d'), [])
  const search = useDebounced(url.q ?? '')
  const status = url.status && url.status in statusLook ? (url.status as AccountStatus) : undefined
  const [granting, setGranting] = useState<Account>()
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(AccountsDocument, { search: search || undefined, status, copilot: filter }, (d) => d.platform?.accounts)
  const mayCreate = may(data?.platform, 'account.create')
  useKeys({ c: () => mayCreate && setUrl({ new: 'account' }) })
  const create = mayCreate && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'account' })}>
      <Plus aria-hidden /> {t('New account')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Accounts')} note={t('Customers, fully isolated from each other. Here are their amounts, never their content.')}>
        {create}
      </PageHead>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Search names and addresses')} />
        <Select aria-label={t('Status')} value={status ?? 'ALL'} onChange={(next) => setUrl({ status: next === 'ALL' ? undefined : next })} options={statuses} className="h-8 w-36 max-sm:w-full" />
      </div>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={8} height="h-15" />}
        {data?.platform && rows.length === 0 && (
          <Empty icon={<Building2 aria-hidden />} title={search || status ? t('No account matches') : t('No accounts yet')} action={search || status ? undefined : create}>
            {!search && !status && t('An account is one customer: its people, planes, budgets and keys, apart from all others.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Accounts')}>
            <Head>
              <Th>{t('Account')}</Th>
              <Th wide>{t('Planes')}</Th>
              <Th wide className="text-end">
                {t('Users')}
              </Th>
              <Th wide className="text-end">
                {t('Cost, 30 days')}
              </Th>
              <Th className="w-64 max-sm:w-36">{t('Credits used of granted')}</Th>
              <Th wide>{t('Status')}</Th>
              <Th wide>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {rows.map((a) => (
                <tr key={a.id} className={rowClass}>
                  <Td>
                    <Link data-row-link to="/sa/accounts/$id" params={{ id: a.id }} className="block rounded-sm font-medium hover:underline">
                      {a.name}
                    </Link>
                    <span className="block max-w-64 truncate text-xs text-muted max-sm:max-w-32">
                      {a.slug} · {t('since {{day}}', { day: day(a.createdAt) })}
                    </span>
                    {a.status !== 'ACTIVE' && (
                      <Badge tone={statusLook[a.status].tone} className="md:hidden">
                        {statusLook[a.status].label}
                      </Badge>
                    )}
                  </Td>
                  <Td wide>
                    <span className="flex gap-1">
                      {a.planes.map((p) => (
                        <Badge key={p}>{nameOf(p)}</Badge>
                      ))}
                    </span>
                  </Td>
                  <Td wide className="text-end">
                    {a.userCount !== null && a.userCount !== undefined && count(a.userCount)}
                  </Td>
                  <Td wide className="text-end">
                    {a.spend?.cost && money(a.spend.cost, 'USD')}
                    {a.creditFactor && <span className="block text-xs text-muted">{t('{{credits}} credits per $', { credits: exact(a.creditFactor, 'CREDITS') })}</span>}
                  </Td>
                  <Td>{a.root?.budget ? <Used state={a.root.budget.state} name={a.name} /> : <span className="text-muted">{t('No pool')}</span>}</Td>
                  <Td wide>
                    <Badge tone={statusLook[a.status].tone}>{statusLook[a.status].label}</Badge>
                  </Td>
                  <Td wide className="w-0">
                    {mayGrant(a) && (
                      <Button size="sm" onClick={() => setGranting(a)} aria-label={t('Grant credits to {{name}}', { name: a.name })}>
                        {t('Grant')}
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
            {t('{{count}} accounts', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
      {url.new === 'account' && mayCreate && <CreateAccount onClose={() => setUrl({ new: undefined })} onMade={(id) => navigate({ to: '/sa/accounts/$id', params: { id } })} />}
      {granting?.root && <Grant account={granting} root={granting.root} onClose={() => setGranting(undefined)} />}
    </>
  )
}
