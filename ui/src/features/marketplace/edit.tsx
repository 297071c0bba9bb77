import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { ListingCreateDocument, type ListingPartsFragment, ListingUpdateDocument, type ResourceKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field } from '@/kit/field'
import type { Item } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox, Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ResourcePicker } from '@/features/access'
import { emptyText, inputOf, type Text, TextFields, textOf } from './form'

/** Shares an agent or a connection inside the account: what it is, and what the listing says of it. */
export function Share({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const { run, busy, fault } = useMutate(ListingCreateDocument, { once: true })
  const [kind, setKind] = useState<Extract<ResourceKind, 'AGENT' | 'CONNECTION'>>('AGENT')
  const [source, setSource] = useState<Item | null>(null)
  const [text, setText] = useState<Text>(emptyText)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const create = async () => {
    const missing: Record<string, string> = {}
    if (!source) missing.sourceId = t('Choose what you share.')
    if (!text.name.trim()) missing.name = t('Give it a name that people will recognise.')
    setErrors(missing)
    if (Object.keys(missing).length > 0) return
    const payload = await run({ input: { sourceId: source!.value, ...inputOf(text) } })
    if (payload?.listing) {
      toast(t('{{name}} is a draft that you alone see', { name: payload.listing.name }))
      return onMade(payload.listing.id)
    }
    if (payload) setErrors(byField(payload.errors))
  }
  return (
    <Dialog open onClose={onClose} title={t('Share with your account')} description={t('Colleagues find it, install it or ask for it, once an admin of Copilot has published it.')} className="max-w-2xl">
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void create()
        }}
      >
        <Segments
          label={t('What you share')}
          value={kind}
          onChange={(k) => {
            setKind(k)
            setSource(null)
          }}
          options={[
            { value: 'AGENT', label: t('An agent') },
            { value: 'CONNECTION', label: t('A connection') },
          ]}
          className="self-start"
        />
        <Field label={kind === 'AGENT' ? t('Agent') : t('Connection')} required error={errors.sourceId} hint={kind === 'AGENT' ? t('Its version in use is what others get.') : t('Its settings are what others get; everybody signs in with their own.')}>
          {(wiring) => (
            <ResourcePicker
              key={kind}
              {...wiring}
              plane="COPILOT"
              kind={kind}
              value={source}
              onChange={(item) => {
                setSource(item)
                if (!text.name) setText({ ...text, name: item.label })
              }}
            />
          )}
        </Field>
        <TextFields value={text} onChange={setText} errors={errors} />
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Save as draft')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** Changes what a listing says of itself; the platform also says what is shown first. */
export function Edit({ listing: l, marks, onClose }: { listing: ListingPartsFragment; marks?: boolean; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ListingUpdateDocument)
  const [text, setText] = useState<Text>(() => textOf(l))
  const [featured, setFeatured] = useState(l.featured)
  const [verified, setVerified] = useState(l.verified)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const model = l.kind === 'MODEL'
  const save = async () => {
    const { name, ...words } = inputOf(text)
    const payload = await run({ input: { listingId: l.id, ...words, ...(model ? {} : { name }), ...(marks ? { featured, verified } : {}), expectedVersion: l.version } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('Saved'))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Edit {{name}}', { name: l.name })} description={t('What people read. What installing it brings is changed by a new version.')} className="max-w-2xl">
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
      >
        <TextFields value={text} onChange={setText} errors={errors} named={!model} />
        {marks && (
          <div className="flex flex-col gap-2 rounded-md border border-line px-3 py-2.5">
            <Checkbox checked={featured} onChange={setFeatured}>
              {t('Featured: shown first')}
            </Checkbox>
            <Checkbox checked={verified} onChange={setVerified}>
              {t('Verified: the platform has looked at it')}
            </Checkbox>
          </div>
        )}
        {(fault || errors[''] || errors.expectedVersion) && <ErrorBar fault={fault ?? { code: 'INVALID', message: (errors[''] ?? errors.expectedVersion)! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
