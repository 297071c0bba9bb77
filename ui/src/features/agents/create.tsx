import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { AgentCreateDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { type PlaceItem, PlacePicker } from '@/features/roles'

const owners: readonly ScopeKind[] = ['COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER']

/** A name, a purpose and an owner; the rest is for the editor. */
export function CreateAgent({ ownerId, onClose, onMade }: { ownerId?: string; onClose: () => void; onMade: (id: string) => void }) {
  const { run, busy, fault } = useMutate(AgentCreateDocument)
  const [name, setName] = useState('')
  const [purpose, setPurpose] = useState('')
  const [owner, setOwner] = useState<PlaceItem | null>(null)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const create = async () => {
    const missing: Record<string, string> = {}
    if (!name.trim()) missing.name = t('Give it a name that people will recognise.')
    if (!ownerId && !owner) missing.ownerId = t('Choose who owns it.')
    setErrors(missing)
    if (Object.keys(missing).length > 0) return
    const payload = await run({ input: { name: name.trim(), purpose: purpose.trim() || undefined, ownerId: ownerId ?? owner!.value } })
    if (payload?.agent) return onMade(payload.agent.id)
    if (payload) setErrors(byField(payload.errors))
  }
  return (
    <Dialog open onClose={onClose} title={t('New agent')} description={t('It begins as a draft that nobody uses. You write, try and publish it next.')}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void create()
        }}
      >
        <Field label={t('Name')} required error={errors.name}>
          {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} autoFocus maxLength={120} placeholder={t('Contract reader')} />}
        </Field>
        <Field label={t('Purpose')} error={errors.purpose} hint={t('In a sentence, for those who choose.')}>
          {(wiring) => <Textarea {...wiring} value={purpose} onChange={(e) => setPurpose(e.target.value)} maxLength={500} className="min-h-16" />}
        </Field>
        {!ownerId && (
          <Field label={t('Owner')} required error={errors.ownerId} hint={t('Its admins build it. Who may use it is decided by access.')}>
            {(wiring) => <PlacePicker {...wiring} plane="COPILOT" action="agent.create" kinds={owners} value={owner} onChange={setOwner} placeholder={t('Copilot, organization, team or user')} />}
          </Field>
        )}
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Create in Copilot')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
