import { useState } from 'react'
import { CatalogModelUpdateDocument, type CatalogPartsFragment, type Modality } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'

export const modalityName: { [M in Modality]: string } = { TEXT: t('Text'), IMAGE: t('Images'), AUDIO: t('Audio'), VIDEO: t('Video'), EMBEDDING: t('Embeddings') }

const modalities = Object.keys(modalityName) as Modality[]

/** What a model is like, and whether its end is planned. */
export function TraitsDialog({ model, others, onClose }: { model: CatalogPartsFragment; others: readonly CatalogPartsFragment[]; onClose: () => void }) {
  const update = useMutate(CatalogModelUpdateDocument)
  const [description, setDescription] = useState(model.description)
  const [inputs, setInputs] = useState<readonly Modality[]>(model.inputs)
  const [outputs, setOutputs] = useState<readonly Modality[]>(model.outputs)
  const [region, setRegion] = useState(model.region)
  const [until, setUntil] = useState(model.deprecatedAt?.slice(0, 10) ?? '')
  const [successor, setSuccessor] = useState(model.successor?.id ?? '')
  const planned = Boolean(model.deprecatedAt ?? model.successor)
  const save = async () => {
    const end = until || successor ? { deprecatedAt: until ? `${until}T00:00:00Z` : undefined, successorId: successor || undefined } : { undeprecate: planned }
    const payload = await update.run({ input: { catalogModelId: model.id, description, inputs: [...inputs], outputs: [...outputs], region, ...end, expectedVersion: model.version } })
    if (!payload) return
    if (payload.errors[0]) return update.setFault(payload.errors[0])
    toast(t('{{model}} is saved', { model: model.name }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Edit {{model}}', { model: model.name })}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
      >
        <Field label={t('What it is good for')}>{(wiring) => <Input {...wiring} maxLength={500} value={description} onChange={(e) => setDescription(e.target.value)} />}</Field>
        <Choice legend={t('Takes in')} chosen={inputs} onChange={setInputs} />
        <Choice legend={t('Gives out')} chosen={outputs} onChange={setOutputs} />
        <Field label={t('Region')} hint={t('Where it is computed; empty for anywhere.')}>
          {(wiring) => <Input {...wiring} maxLength={60} value={region} onChange={(e) => setRegion(e.target.value)} />}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Deprecated from')} hint={t('Empty: nothing is planned.')}>
            {(wiring) => <Input {...wiring} type="date" value={until} onChange={(e) => setUntil(e.target.value)} />}
          </Field>
          <Field label={t('Successor')}>
            {(wiring) => <Select {...wiring} options={[{ value: '', label: t('None') }, ...others.map((o) => ({ value: o.id, label: o.name }))]} value={successor} onChange={setSuccessor} />}
          </Field>
        </div>
        {update.fault && <ErrorBar fault={update.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={update.busy}>
            {t('Save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Choice({ legend, chosen, onChange }: { legend: string; chosen: readonly Modality[]; onChange: (m: readonly Modality[]) => void }) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-sm font-medium">{legend}</legend>
      <div className="flex flex-wrap gap-x-5 gap-y-1.5">
        {modalities.map((m) => (
          <Checkbox key={m} checked={chosen.includes(m)} onChange={(on) => onChange(on ? [...chosen, m] : chosen.filter((c) => c !== m))}>
            {modalityName[m]}
          </Checkbox>
        ))}
      </div>
    </fieldset>
  )
}
