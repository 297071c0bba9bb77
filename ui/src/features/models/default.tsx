import { DefaultModelDocument, ScopeDefaultModelSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Field } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

type Props = {
  scopeId: string
  models: readonly { id: string; name: string }[]
  /** Whether the viewer may set it here. */
  editable: boolean
}

/** What calls use that name no model, and where that is said. */
export function DefaultModel({ scopeId, models, editable }: Props) {
  const { data, fault, retry } = useRead(DefaultModelDocument, { scopeId })
  const set = useMutate(ScopeDefaultModelSetDocument)
  const now = data?.defaultModel
  const own = now?.from.id === scopeId
  const choose = async (modelId: string) => {
    const payload = await set.run({ input: { scopeId, modelId: modelId || undefined } })
    if (!payload) return
    if (payload.errors[0]) return set.setFault(payload.errors[0])
    toast(payload.defaultModel ? t('Calls without a model use {{model}}', { model: payload.defaultModel.model.name }) : t('Calls have to name a model'))
    retry()
  }
  if (fault ?? set.fault) return <ErrorBar fault={(fault ?? set.fault)!} retry={fault && retry} />
  if (!data) return null
  const inherited = now && !own ? t('{{model}}, set at {{place}}', { model: now.model.name, place: now.from.name }) : t('None: calls have to name a model')
  if (!editable) return <p className="text-sm text-muted">{now ? t('Calls that name no model use {{model}}, set at {{place}}.', { model: now.model.name, place: now.from.name }) : t('Calls have to name a model.')}</p>
  return (
    <Field label={t('Default model')} hint={t('What calls use that name none. Grants still decide who may call it.')}>
      {(wiring) => <Select {...wiring} value={own ? now.model.id : ''} onChange={choose} options={[{ value: '', label: inherited }, ...models.map((m) => ({ value: m.id, label: m.name }))]} className="max-w-sm" />}
    </Field>
  )
}
