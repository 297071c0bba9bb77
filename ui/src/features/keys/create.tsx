import { zodResolver } from '@hookform/resolvers/zod'
import { useMemo, useState } from 'react'
import { Controller, useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { KeyCreateDocument, KeyModelsDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ManyPicker } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Checkbox } from '@/kit/toggle'
import { parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane, unitOf } from '@/lib/plane'
import { type PlaceItem, PlacePicker } from '@/features/roles'
import { Snippet } from './snippet'

const schema = z.object({
  name: z.string().trim().min(1, t('Give it a name that says where it is used.')).max(200),
  ownerId: z.string().min(1, t('Choose who owns it and pays.')),
  modelIds: z.array(z.string()).min(1, t('Choose at least one model: a key without models can call nothing.')).max(100),
  limit: z.string().refine((s) => !s || parseAmount(s) !== null, t('Enter an amount such as 1200 or 12.50.')),
  requestsPerMinute: z.string().regex(/^\d{0,6}$/, t('Enter a whole number up to 100,000.')),
  expiresOn: z.string(),
})

const owners: readonly ScopeKind[] = ['CONSOLE', 'COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER']

type Values = z.infer<typeof schema>

type Made = { secret: string; model: string; name: string }

type Props = { plane: Plane; ownerId?: string; onClose: () => void }

export function CreateKey({ plane, ownerId, onClose }: Props) {
  const [made, setMade] = useState<Made>()
  return made ? <Secret {...made} onDone={onClose} /> : <CreateForm plane={plane} ownerId={ownerId} onClose={onClose} onMade={setMade} />
}

function CreateForm({ plane, ownerId, onClose, onMade }: Props & { onMade: (made: Made) => void }) {
  const { run, fault, setFault } = useMutate(KeyCreateDocument, { once: true })
  const { data, loading, fault: readFault, retry } = useRead(KeyModelsDocument, ask(plane))
  const [owner, setOwner] = useState<PlaceItem | null>(null)
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: { name: '', ownerId: ownerId ?? '', modelIds: [], limit: '', requestsPerMinute: '', expiresOn: '' },
  })
  const { errors } = formState
  const root = pick(data)
  // The picker keeps its place in a list only while it stays the same one.
  const models = useMemo(() => (root?.models.edges ?? []).filter((e) => e.node.status === 'ACTIVE').map(({ node }) => ({ value: node.id, label: node.name })), [root])

  const create = async (values: Values) => {
    const payload = await run({
      input: {
        name: values.name.trim(),
        ownerId: values.ownerId,
        modelIds: values.modelIds,
        limit: values.limit ? parseAmount(values.limit) : undefined,
        requestsPerMinute: values.requestsPerMinute ? Number(values.requestsPerMinute) : undefined,
        expiresAt: values.expiresOn ? new Date(`${values.expiresOn}T23:59:59`).toISOString() : undefined,
      },
    })
    if (!payload) return
    const { key, secret, errors } = payload
    if (key && secret) return onMade({ secret, name: key.name, model: key.models[0]?.name ?? '' })
    const found = byField(errors)
    for (const [field, message] of Object.entries(found)) {
      if (field in values) setError(field as keyof Values, { message })
      else if (field === 'expiresAt') setError('expiresOn', { message })
      else setFault({ code: 'INVALID', message })
    }
  }

  return (
    <Dialog open onClose={onClose} title={t('New virtual key')} description={t('For {{plane}}. Its calls are held on the owner\'s budget and on all above it.', { plane: nameOf(plane) })}>
      {readFault && <ErrorBar fault={readFault} retry={retry} />}
      {loading && <SkeletonRows rows={4} />}
      {root && (
        <form noValidate onSubmit={handleSubmit(create)} className="flex flex-col gap-4">
          <Field label={t('Name')} required error={errors.name?.message}>
            {(wiring) => <Input {...wiring} {...register('name')} autoFocus placeholder={t('Claims service, production')} />}
          </Field>
          {!ownerId && (
            <Field label={t('Owner')} required error={errors.ownerId?.message} hint={t('A team for a program, a user for one person.')}>
              {(wiring) => <Controller name="ownerId" control={control} render={({ field }) => (
                    <PlacePicker
                      {...wiring}
                      plane={plane}
                      action="key.create"
                      kinds={owners}
                      value={owner}
                      onChange={(place) => {
                        setOwner(place)
                        field.onChange(place.value)
                      }}
                      placeholder={t('Organization, team or user')}
                    />
                  )} />}
            </Field>
          )}
          <Field label={t('Models')} required error={errors.modelIds?.message}>
            {(wiring) => <Controller name="modelIds" control={control} render={({ field }) => <ManyPicker {...wiring} items={models} value={field.value} onChange={field.onChange} placeholder={t('Which models may it call?')} />} />}
          </Field>
          <div className="grid gap-4 sm:grid-cols-3">
            <Field label={unitOf(plane) === 'USD' ? t('Limit, $') : t('Limit, credits')} error={errors.limit?.message} hint={t("Empty: the owner's.")}>
              {(wiring) => <Input {...wiring} {...register('limit')} inputMode="decimal" className="num" />}
            </Field>
            <Field label={t('Calls per minute')} error={errors.requestsPerMinute?.message} hint={t('Empty: no limit.')}>
              {(wiring) => <Input {...wiring} {...register('requestsPerMinute')} inputMode="numeric" className="num" />}
            </Field>
            <Field label={t('Last day')} error={errors.expiresOn?.message} hint={t('Empty: never ends.')}>
              {(wiring) => <Input {...wiring} {...register('expiresOn')} type="date" />}
            </Field>
          </div>
          {fault && <ErrorBar fault={fault} />}
          <DialogActions>
            <Button onClick={onClose}>{t('Cancel')}</Button>
            <Button type="submit" variant="primary" busy={formState.isSubmitting}>
              {t('Create in {{plane}}', { plane: nameOf(plane) })}
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  )
}

/** The one moment in which the secret can be seen: copied and acknowledged, then gone. */
function Secret({ secret, model, name, onDone }: Made & { onDone: () => void }) {
  const [kept, setKept] = useState(false)
  return (
    <Dialog open sticky onClose={onDone} title={t('{{name}} is ready', { name })} description={t('This is its secret. Copy it now: it is stored hashed and can never be shown again.')}>
      <div className="flex items-center gap-2 rounded-md border border-line bg-bg p-2 ps-3">
        <code data-testid="secret" className="min-w-0 grow font-mono text-sm break-all">
          {secret}
        </code>
        <CopyButton text={secret} label={t('Copy secret')} />
      </div>
      <div className="mt-5">
        <Snippet secret={secret} model={model} />
      </div>
      <div className="mt-5 flex flex-wrap items-center justify-between gap-3">
        <Checkbox checked={kept} onChange={setKept}>
          {t('I have stored the secret in a safe place')}
        </Checkbox>
        <Button variant="primary" disabled={!kept} onClick={onDone}>
          {t('Done')}
        </Button>
      </div>
    </Dialog>
  )
}
