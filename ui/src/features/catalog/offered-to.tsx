import { useState } from 'react'
import { CatalogAccountsDocument, type Eligibility } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Input } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'

export type Offered = { to: Eligibility; accounts: readonly { id: string; name: string }[] }

/** The accounts of an offer, as mutations take them. */
export const accountIds = (offer: Offered) => (offer.to === 'NAMED' ? offer.accounts.map((a) => a.id) : undefined)

/** Chooses to whom the platform offers something: to all accounts, or to those that are ticked. */
export function OfferedTo({ value: { to, accounts: chosen }, onChange }: { value: Offered; onChange: (offer: Offered) => void }) {
  const [search, setSearch] = useState('')
  const { data, loading, fault, retry } = useRead(CatalogAccountsDocument, { search: search || undefined }, to !== 'NAMED')
  const found = data?.platform?.accounts.edges.map((e) => e.node) ?? []
  const listed = [...chosen, ...found.filter((a) => !chosen.some((c) => c.id === a.id))].filter((a) => a.name.toLowerCase().includes(search.toLowerCase()))
  const tick = (a: Offered['accounts'][number], on: boolean) => onChange({ to, accounts: on ? [...chosen, a] : chosen.filter((c) => c.id !== a.id) })
  return (
    <>
      <RadioCards
        label={t('Offered to')}
        value={to}
        onChange={(to) => onChange({ to, accounts: chosen })}
        options={[
          { value: 'ALL', label: t('All accounts'), note: t('Those to come, too.') },
          { value: 'NAMED', label: t('Named accounts'), note: t('For the others it is as if it were not there.') },
        ]}
      />
      {to === 'NAMED' && (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1.5 text-sm font-medium">{t('Accounts: {{count}} chosen', { count: chosen.length })}</legend>
          <Input aria-label={t('Find accounts')} placeholder={t('Find accounts')} value={search} onChange={(e) => setSearch(e.target.value)} />
          <div className="flex max-h-48 flex-col gap-1 overflow-y-auto rounded-md border border-line p-3">
            {loading && <SkeletonRows rows={3} height="h-6" />}
            {listed.map((a) => (
              <Checkbox key={a.id} checked={chosen.some((c) => c.id === a.id)} onChange={(on) => tick(a, on)}>
                {a.name}
              </Checkbox>
            ))}
            {!loading && listed.length === 0 && <p className="text-sm text-muted">{t('No account matches')}</p>}
          </div>
          {fault && <ErrorBar fault={fault} retry={retry} />}
        </fieldset>
      )}
    </>
  )
}
