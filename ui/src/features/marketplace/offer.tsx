import { useEffect, useState } from 'react'
import { type ListingImpactPartsFragment, ListingOfferDocument, ListingOfferedDocument, type ListingPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { accountIds, type Offered, OfferedTo } from '@/features/catalog'
import { ImpactOf } from './lifecycle'

/** To whom a listing of the platform is offered. */
export function OfferListing({ listing, onClose }: { listing: ListingPartsFragment; onClose: () => void }) {
  const { data, fault, retry } = useRead(ListingOfferedDocument, { id: listing.id })
  const offer = data?.node && 'offer' in data.node ? data.node.offer : undefined
  return (
    <Dialog open onClose={onClose} title={t('Offer {{name}}', { name: listing.name })} description={t('Accounts see and install only what is offered to them.')}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {offer ? <Choose listing={listing} from={offer} onClose={onClose} /> : <SkeletonRows rows={3} />}
    </Dialog>
  )
}

function Choose({ listing: l, from, onClose }: { listing: ListingPartsFragment; from: Offered; onClose: () => void }) {
  const save = useMutate(ListingOfferDocument)
  const rehearse = useMutate(ListingOfferDocument)
  const [offer, setOffer] = useState(from)
  const [impact, setImpact] = useState<ListingImpactPartsFragment>()
  const [error, setError] = useState<string>()
  const input = { listingId: l.id, to: offer.to, accountIds: accountIds(offer) }
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
  const submit = async () => {
    const payload = await save.run({ input })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(offer.to === 'ALL' ? t('{{name}} is offered to all accounts', { name: l.name }) : t('{{name}} is offered to {{count}} accounts', { name: l.name, count: offer.accounts.length }))
    onClose()
  }
  const fault = save.fault ?? rehearse.fault
  return (
    <>
      <div className="flex flex-col gap-4">
        <OfferedTo value={offer} onChange={setOffer} />
        {offer.to === 'NAMED' && impact && impact.installations > 0 && <ImpactOf impact={impact} />}
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
