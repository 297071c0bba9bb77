import { useEffect, useState } from 'react'
import { type CatalogImpactPartsFragment, CatalogModelUpdateDocument, type CatalogPartsFragment, type CatalogStatus } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { ImpactOf } from './impact'

type Props = { model: CatalogPartsFragment; status: CatalogStatus; busy: boolean; onClose: () => void; onConfirm: () => void }

/** Taking a model out of use, with what that does. */
export function TakeAway({ model, status, busy, onClose, onConfirm }: Props) {
  const rehearse = useMutate(CatalogModelUpdateDocument)
  const [impact, setImpact] = useState<CatalogImpactPartsFragment>()
  useEffect(() => {
    let current = true
    void rehearse.run({ input: { catalogModelId: model.id, status, dryRun: true } }).then((p) => current && setImpact(p?.impact ?? undefined))
    return () => {
      current = false
    }
    // Asked once for each model and status.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [model.id, status])
  const retire = status === 'RETIRED'
  return (
    <Dialog open onClose={onClose} title={retire ? t('Retire {{model}}?', { model: model.name }) : t('Make {{model}} a draft again?', { model: model.name })}>
      {rehearse.fault ? <ErrorBar fault={rehearse.fault} /> : impact ? <ImpactOf impact={impact} /> : <SkeletonRows rows={3} height="h-8" />}
      <DialogActions>
        <Button onClick={onClose}>{t('Keep it')}</Button>
        <Button variant="danger" busy={busy} disabled={!impact} onClick={onConfirm}>
          {retire ? t('Retire model') : t('Make it a draft')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
