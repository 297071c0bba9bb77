import { Building2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { AccountsDocument, type AccountStatus, type AccountsQuery, BudgetSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Badge, type Tone } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { count, day, exact, money, moneyWords, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { span } from '@/lib/range'
import { Used } from '@/features/budgets'

type Account = NonNullable<AccountsQuery['platform']>['accounts']['edges'][number]['node']

export const statusLook: Record<AccountStatus, { tone: Tone; label: string }> = {
  ACTIVE: { tone: 'ok', label: t('Active') },
  SUSPENDED: { tone: 'warn', label: t('Suspended') },
  CLOSED: { tone: 'plain', label: t('Closed') },
}

export function AccountsPage() {
  const filter = useMemo(() => span('30d'), [])
  const [after, setAfter] = useState<string>()
  const [earlier, setEarlier] = useState<readonly Account[]>([])
  const [needle, setNeedle] = useState('')
  const [granting, setGranting] = useState<Account>()
  const { data, loading, fetching, fault, retry } = useRead(AccountsDocument, { after, copilot: filter })
  const list = data?.platform?.accounts
  const page = list?.edges.map((e) => e.node) ?? []
  const all = [...earlier.filter((a) => page.every((p) => p.id !== a.id)), ...page]
  const accounts = all.filter((a) => `${a.name} ${a.slug}`.toLowerCase().includes(needle.toLowerCase()))

  return (
    <>
      <PageHead title={t('Accounts')} note={t('Customers, fully isolated from each other. Here are their amounts, never their content.')}>
        <Filter value={needle} onChange={setNeedle} label={t('Filter accounts')} />
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-14" />}
        {list && accounts.length === 0 && <Empty icon={<Building2 aria-hidden />} title={needle ? t('No account matches') : t('No accounts yet')} />}
        {accounts.length > 0 && (
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
              <Th className="w-64 max-sm:w-36">{t('Credits used')}</Th>
              <Th wide>{t('Status')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {accounts.map((a) => (
                <tr key={a.id} className={rowClass}>
                  <Td>
                    <span className="font-medium">{a.name}</span>
                    <span className="block text-xs text-muted">
                      {a.slug} · {t('since {{day}}', { day: day(a.createdAt) })}
                    </span>
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
                  <Td>{a.pool ? <Used state={a.pool.state} name={a.name} /> : <span className="text-muted">{t('No pool')}</span>}</Td>
                  <Td wide>
                    <Badge tone={statusLook[a.status].tone}>{statusLook[a.status].label}</Badge>
                  </Td>
                  <Td className="w-0">
                    {a.pool && (
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
        {list?.pageInfo.hasNextPage && (
          <div className="border-t border-line p-2 text-center">
            <Button
              variant="ghost"
              size="sm"
              busy={fetching}
              onClick={() => {
                setEarlier(all)
                setAfter(list.pageInfo.endCursor ?? undefined)
              }}
            >
              {t('Show more')}
            </Button>
          </div>
        )}
      </Card>
      {granting?.pool && <Grant account={granting} pool={granting.pool} onClose={() => setGranting(undefined)} />}
    </>
  )
}

function Grant({ account, pool, onClose }: { account: Account; pool: NonNullable<Account['pool']>; onClose: () => void }) {
  const set = useMutate(BudgetSetDocument)
  const [text, setText] = useState(pool.limit)
  const [error, setError] = useState<string>()
  const save = async (event: React.FormEvent) => {
    event.preventDefault()
    const limit = parseAmount(text)
    if (limit === null) return setError(t('Enter an amount such as 100000.'))
    const payload = await set.run({ input: { scopeId: pool.scope.id, limit, expectedVersion: pool.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} has {{limit}} a cycle now', { name: account.name, limit: moneyWords(limit, 'CREDITS') }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Credits of {{name}}', { name: account.name })} description={t('What its pool starts every cycle with; holds for the current one at once.')}>
      <form onSubmit={save} noValidate className="flex flex-col gap-4">
        <Field label={t('Credits a cycle')} required error={error} hint={t('{{spent}} are spent, {{remaining}} are left.', { spent: money(pool.state.spent, 'CREDITS'), remaining: money(pool.state.remaining, 'CREDITS') })}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" className="num" value={text} onChange={(e) => setText(e.target.value)} onFocus={(e) => e.target.select()} />}
        </Field>
        {set.fault && <ErrorBar fault={set.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={set.busy}>
            {t('Grant to {{name}}', { name: account.name })}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
