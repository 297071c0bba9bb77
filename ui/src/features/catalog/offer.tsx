import { useEffect, useState } from 'react'
import { CatalogAccountsDocument, type CatalogImpactPartsFragment, CatalogModelOfferDocument, type CatalogPartsFragment, type Eligibility } from '@/graphql/generated/graphql'
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
import { ImpactOf } from './impact'

/** To whom a model is offered; what that takes away is shown before it is done. */
export function OfferDialog({ model, onClose }: { model: CatalogPartsFragment; onClose: () => void }) {
  const save = useMutate(CatalogModelOfferDocument)
  const rehearse = useMutate(CatalogModelOfferDocument)
  const [to, setTo] = useState<Eligibility>(model.offer?.to ?? 'ALL')
  const [chosen, setChosen] = useState<readonly { id: string; name: string }[]>(model.offer?.accounts ?? [])
  const [search, setSearch] = useState('')
  const [impact, setImpact] = useState<CatalogImpactPartsFragment>()
  const accounts = useRead(CatalogAccountsDocument, { search: search || undefined }, to !== 'NAMED')
  const input = { catalogModelId: model.id, to, accountIds: to === 'NAMED' ? chosen.map((a) => a.id) : undefined }
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
  const toggle = (a: { id: string; name: string }, on: boolean) => setChosen(on ? [...chosen, a] : chosen.filter((c) => c.id !== a.id))
  const submit = async () => {
    const payload = await save.run({ input })
    if (!payload) return
    if (payload.errors[0]) return save.setFault(payload.errors[0])
    toast(to === 'ALL' ? t('{{model}} is offered to all accounts', { model: model.name }) : t('{{model}} is offered to {{count}} accounts', { model: model.name, count: chosen.length }))
    onClose()
  }
  const fault = save.fault ?? rehearse.fault ?? accounts.fault
  const taken = Boolean(impact?.accounts.length)
  return (
    <Dialog open onClose={onClose} title={t('Offer {{model}}', { model: model.name })} description={t('Accounts see and switch on only what is offered to them.')}>
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
                <Checkbox key={a.id} checked={chosen.some((c) => c.id === a.id)} onChange={(on) => toggle(a, on)}>
                  {a.name}
                </Checkbox>
              ))}
              {!accounts.loading && listed.length === 0 && <p className="text-sm text-muted">{t('No account matches')}</p>}
            </div>
          </fieldset>
        )}
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
