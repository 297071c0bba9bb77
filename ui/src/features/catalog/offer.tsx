import { useEffect, useState } from 'react'
import { type CatalogImpactPartsFragment, CatalogModelOfferDocument, type CatalogPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ImpactOf } from './impact'
import { accountIds, type Offered, OfferedTo } from './offered-to'

/** To whom a model is offered; what that takes away is shown before it is done. */
export function OfferDialog({ model, onClose }: { model: CatalogPartsFragment; onClose: () => void }) {
  const save = useMutate(CatalogModelOfferDocument)
  const rehearse = useMutate(CatalogModelOfferDocument)
  const [offer, setOffer] = useState<Offered>({ to: model.offer?.to ?? 'ALL', accounts: model.offer?.accounts ?? [] })
  const [impact, setImpact] = useState<CatalogImpactPartsFragment>()
  const input = { catalogModelId: model.id, to: offer.to, accountIds: accountIds(offer) }
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
    if (payload.errors[0]) return save.setFault(payload.errors[0])
    toast(offer.to === 'ALL' ? t('{{model}} is offered to all accounts', { model: model.name }) : t('{{model}} is offered to {{count}} accounts', { model: model.name, count: offer.accounts.length }))
    onClose()
  }
  const fault = save.fault ?? rehearse.fault
  const taken = Boolean(impact?.accounts.length)
  return (
    <Dialog open onClose={onClose} title={t('Offer {{model}}', { model: model.name })} description={t('Accounts see and switch on only what is offered to them.')}>
      <div className="flex flex-col gap-4">
        <OfferedTo value={offer} onChange={setOffer} />
        {impact && <ImpactOf impact={impact} />}
        {fault && <ErrorBar fault={fault} />}
      </div>
      <DialogActions>
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button variant={taken ? 'danger' : 'primary'} busy={save.busy} disabled={!impact} onClick={submit}>
          {taken ? t('Take it away') : t('Save offer')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
