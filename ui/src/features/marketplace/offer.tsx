import { useEffect, useState } from 'react'
import { CatalogAccountsDocument, type Eligibility, type ListingImpactPartsFragment, ListingOfferDocument, ListingOfferedDocument, type ListingPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Input } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ImpactOf } from './lifecycle'

type Choice = { id: string; name: string }
type Offered = { to: Eligibility; accounts: readonly Choice[] }

/** To whom a listing of the platform is offered. */
export function OfferListing({ listing, onClose }: { listing: ListingPartsFragment; onClose: () => void }) {
  const { data, fault, retry } = useRead(ListingOfferedDocument, { id: listing.id })
  const offer = data?.node && 'offer' in data.node ? data.node.offer : undefined
  return (
    <Dialog open onClose={onClose} title={t('Offer {{name}}', { name: listing.name })} description={t('Accounts see and install only what is offered to them.')}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {offer ? <Choose listing={listing} offer={offer} onClose={onClose} /> : <SkeletonRows rows={3} />}
    </Dialog>
  )
}

function Choose({ listing: l, offer, onClose }: { listing: ListingPartsFragment; offer: Offered; onClose: () => void }) {
  const save = useMutate(ListingOfferDocument)
  const rehearse = useMutate(ListingOfferDocument)
  const [to, setTo] = useState<Eligibility>(offer.to)
  const [chosen, setChosen] = useState<readonly Choice[]>(offer.accounts)
  const [search, setSearch] = useState('')
  const [impact, setImpact] = useState<ListingImpactPartsFragment>()
  const [error, setError] = useState<string>()
  const accounts = useRead(CatalogAccountsDocument, { search: search || undefined }, to !== 'NAMED')
  const input = { listingId: l.id, to, accountIds: to === 'NAMED' ? chosen.map((a) => a.id) : undefined }
  const asked = JSON.stringify(input)
  useEffect(() => {
    let current = true
    void rehearse.run({ input: { ...input, dryRun: true } }).then((p) => current && setImpact(p?.impact ?? undefined))
    return () => {
      current = false
    }
    // The input is compared by what it says.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asked])
  const found = accounts.data?.platform?.accounts.edges.map((e) => e.node) ?? []
  const listed = [...chosen, ...found.filter((a) => !chosen.some((c) => c.id === a.id))].filter((a) => a.name.toLowerCase().includes(search.toLowerCase()))
  const submit = async () => {
    const payload = await save.run({ input })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(to === 'ALL' ? t('{{name}} is offered to all accounts', { name: l.name }) : t('{{name}} is offered to {{count}} accounts', { name: l.name, count: chosen.length }))
    onClose()
  }
  const fault = save.fault ?? rehearse.fault ?? accounts.fault
  return (
    <>
      <div className="flex flex-col gap-4">
        <RadioCards
          label={t('Offered to')}
          value={to}
          onChange={setTo}
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
              {accounts.loading && <SkeletonRows rows={3} height="h-6" />}
              {listed.map((a) => (
                <Checkbox key={a.id} checked={chosen.some((c) => c.id === a.id)} onChange={(on) => setChosen(on ? [...chosen, a] : chosen.filter((c) => c.id !== a.id))}>
                  {a.name}
                </Checkbox>
              ))}
              {!accounts.loading && listed.length === 0 && <p className="text-sm text-muted">{t('No account matches')}</p>}
            </div>
          </fieldset>
        )}
        {to === 'NAMED' && impact && impact.installations > 0 && <ImpactOf impact={impact} />}
        {(fault || error) && <ErrorBar fault={fault ?? { code: 'INVALID', message: error! }} />}
      </div>
      <DialogActions>
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button variant="primary" busy={save.busy} onClick={() => void submit()}>
          {t('Save offer')}
        </Button>
      </DialogActions>
    </>
  )
}
