import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { type GrantEffect, type GrantPartsFragment, GrantSetDocument, type ResourceKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import type { Item } from '@/kit/picker'
import { RadioCards } from '@/kit/radio'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { placeItem } from './choices'
import { endOfDay, lastDay } from './expiry'
import { kindsOf, kindWords } from './kinds'
import { ResourcePicker } from './resource-picker'
import { ScopePicker } from './scope-picker'

type Props = {
  plane: Plane
  /** The grant to change; left out: a new one. */
  grant?: GrantPartsFragment
  resource?: { id: string; name: string }
  scope?: Item
  effect?: GrantEffect
  onClose: () => void
}

/** Allows a model, an agent, a connection or a tool at a place or denies it there, for good or for a while. */
export function GrantDialog({ plane, grant, resource: given, scope: at, effect: wanted, onClose }: Props) {
  const account = useViewer().account.name
  const fixed = grant?.resource ?? given
  const [kind, setKind] = useState<ResourceKind>('MODEL')
  const [chosen, setChosen] = useState<Item | null>(fixed ? { value: fixed.id, label: fixed.name } : null)
  const [scope, setScope] = useState<Item | null>(grant ? placeItem({ ...grant.scope, location: grant.location }, account) : (at ?? null))
  const [effect, setEffect] = useState<GrantEffect>(grant?.effect ?? wanted ?? 'ALLOW')
  const [until, setUntil] = useState(grant?.expiresAt ? lastDay(grant.expiresAt) : '')
  const [note, setNote] = useState(grant?.note ?? '')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const set = useMutate(GrantSetDocument)
  const name = chosen?.label ?? ''
  const kinds = kindsOf(plane)

  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!chosen || !scope) return setErrors({ ...(chosen ? {} : { resourceId: t('Choose what.') }), ...(scope ? {} : { scopeId: t('Choose where.') }) })
    const payload = await set.run({ input: { scopeId: scope.value, resourceId: chosen.value, effect, expiresAt: until ? endOfDay(until) : undefined, note: note.trim(), expectedVersion: grant?.version } })
    if (!payload) return
    if (payload.grant) {
      toast(effect === 'ALLOW' ? t('{{model}} is allowed in {{place}}', { model: name, place: scope.label }) : t('{{model}} is denied in {{place}}', { model: name, place: scope.label }))
      return onClose()
    }
    setErrors(byField(payload.errors))
  }
  // What is said about what can't be changed here belongs to the whole.
  const whole = [errors[''], errors.expectedVersion, errors.effect, (given || grant) && errors.resourceId, (at || grant) && errors.scopeId].find(Boolean)

  return (
    <Dialog open onClose={onClose} title={grant ? t('Change the grant of {{model}}', { model: name }) : given ? t('Who may use {{model}}?', { model: given.name }) : kinds.length > 1 ? t('Allow or deny') : t('Allow or deny a model')} description={t('It reaches everything below, in {{plane}}.', { plane: nameOf(plane) })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        {!given && !grant && (
          <>
            {kinds.length > 1 && (
              <Segments<ResourceKind>
                label={t('What is granted')}
                value={kind}
                onChange={(next) => {
                  setKind(next)
                  setChosen(null)
                }}
                options={kinds.map((value) => ({ value, label: kindWords[value].one }))}
                className="self-start"
              />
            )}
            <Field key={kind} label={kindWords[kind].one} required error={errors.resourceId}>
              {(wiring) => <ResourcePicker {...wiring} plane={plane} kind={kind} value={chosen} onChange={setChosen} />}
            </Field>
          </>
        )}
        {grant || at ? (
          <p>
            <span className="block text-sm font-medium">{t('Where')}</span>
            {scope?.label}
          </p>
        ) : (
          <Field label={t('Where')} required error={errors.scopeId}>
            {(wiring) => <ScopePicker {...wiring} plane={plane} action="grant.set" value={scope} onChange={setScope} />}
          </Field>
        )}
        <RadioCards<GrantEffect>
          label={t('What then')}
          value={effect}
          onChange={setEffect}
          options={[
            { value: 'ALLOW', label: t('Allow'), note: t('Everybody there and below may use it, unless it is denied on the way to them.') },
            { value: 'DENY', label: t('Deny'), note: t('Nobody there and below may use it; no grant further down lifts that.') },
          ]}
        />
        <div className="grid gap-4 sm:grid-cols-[11rem_1fr]">
          <Field label={t('Last day')} error={errors.expiresAt} hint={t('Empty: for good.')}>
            {(wiring) => <Input {...wiring} type="date" value={until} onChange={(e) => setUntil(e.target.value)} />}
          </Field>
          <Field label={t('Note')} error={errors.note} hint={t('Why, for whoever asks later.')}>
            {(wiring) => <Textarea {...wiring} value={note} onChange={(e) => setNote(e.target.value)} maxLength={500} className="min-h-9" rows={1} />}
          </Field>
        </div>
        {whole && (
          <p role="alert" className="text-bad">
            {whole}
          </p>
        )}
        {set.fault && <ErrorBar fault={set.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant={effect === 'DENY' ? 'danger' : 'primary'} busy={set.busy}>
            {effect === 'ALLOW' ? t('Allow in {{plane}}', { plane: nameOf(plane) }) : t('Deny in {{plane}}', { plane: nameOf(plane) })}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
