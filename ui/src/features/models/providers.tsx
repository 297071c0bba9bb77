import { PlugZap, Plus, Server } from 'lucide-react'
import { useState } from 'react'
import { type ModelPartsFragment, ModelUpdateDocument, ProviderCreateDocument, type ProviderPartsFragment, ProvidersDocument, ProviderTestDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, readsWholePlane, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonBlock, SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { ago, compactCount, exact, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { useUrl } from '@/lib/url'
import { ModelPeek, WhyNot } from '@/features/access'
import { DefaultModel } from './default'
import { EndpointForm } from './endpoint'
import { Health } from './health'
import { CreateModel, PublishPrice } from './model-form'

export function Providers() {
  const [url, setUrl] = useUrl<{ q: string; peek: string }>()
  const whole = readsWholePlane(useViewer(), 'CONSOLE')
  const { data, loading, fault, retry } = useRead(ProvidersDocument, { whole })
  const [open, setOpen] = useState<'provider' | { model: ProviderPartsFragment | null } | { price: ModelPartsFragment }>()
  const update = useMutate(ModelUpdateDocument)
  const console = data?.console
  const providers = console?.providers?.edges.map((e) => e.node) ?? []
  const needle = (url.q ?? '').toLowerCase()
  const models = (console?.models.edges.map((e) => e.node) ?? []).filter((m) => `${m.name} ${m.provider?.name}`.toLowerCase().includes(needle))
  const canAdd = may(console, 'provider.create')
  const canModel = may(console, 'model.create')
  const failed = fault ?? update.fault
  const close = () => setOpen(undefined)

  useKeys({ c: () => canAdd && setOpen('provider') })

  const toggle = async (m: ModelPartsFragment, on: boolean) => {
    const payload = await update.run({ input: { modelId: m.id, status: on ? 'ACTIVE' : 'DISABLED', expectedVersion: m.version } })
    if (!payload) return
    if (payload.errors[0]) return update.setFault(payload.errors[0])
    toast(on ? t('{{model}} can be called in Console', { model: m.name }) : t('{{model}} is off', { model: m.name }))
  }

  return (
    <>
      <PageHead title={t('Providers & models')} note={t('Your own LLM endpoints, and the models that people and programs call by name.')}>
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter models')} />
        <WhyNot plane="CONSOLE" node={console} action="model.create" />
        {canAdd && (
          <Button size="sm" onClick={() => setOpen('provider')}>
            <PlugZap aria-hidden /> {t('Add provider')}
          </Button>
        )}
        {canModel && providers.length > 0 && (
          <Button size="sm" variant="primary" onClick={() => setOpen({ model: null })}>
            <Plus aria-hidden /> {t('Add model')}
          </Button>
        )}
      </PageHead>
      {failed && (
        <div className="mb-4">
          <ErrorBar fault={failed} retry={fault && retry} />
        </div>
      )}
      {whole && (
        <Card className="mb-4">
          {loading && <SkeletonRows rows={2} height="h-16" />}
          {console && providers.length === 0 && (
            <Empty
              icon={<PlugZap aria-hidden />}
              title={t('Connect your first provider')}
              action={
                canAdd && (
                  <Button variant="primary" onClick={() => setOpen('provider')}>
                    {t('Add provider')}
                  </Button>
                )
              }
            >
              {t('Any OpenAI-compatible endpoint works: OpenAI, Azure, vLLM, Ollama, Mistral and others.')}
            </Empty>
          )}
          {providers.length > 0 && (
            <>
              <CardHead title={t('Providers')} />
              <ul className="border-t border-line">
                {providers.map((p) => (
                  <ProviderRow key={p.id} provider={p} onAddModel={canModel ? () => setOpen({ model: p }) : undefined} onTested={retry} />
                ))}
              </ul>
            </>
          )}
        </Card>
      )}
      {!whole && loading && <SkeletonBlock className="h-96" />}
      {console && (providers.length > 0 || !whole) && (
        <Card>
          <CardHead title={t('Models')} note={t('US dollars per 1,000,000 tokens')} />
          <div className="border-t border-line">
            {models.length === 0 ? (
              <Empty icon={<Server aria-hidden />} title={needle ? t('No model matches') : t('No models yet')}>
                {!needle && t('Add a model with its price; without one of them no call is let through.')}
              </Empty>
            ) : (
              <Table label={t('Models')}>
                <Head>
                  <Th>{t('Model')}</Th>
                  {whole && <Th wide>{t('Provider')}</Th>}
                  <Th wide>{t('Context')}</Th>
                  <Th className="text-end">{t('Input / output')}</Th>
                  <Th className="w-24">{t('On')}</Th>
                </Head>
                <tbody>
                  {models.map((m) => (
                    <tr key={m.id} className={rowClass}>
                      <Td>
                        <button type="button" data-row-link onClick={() => setUrl({ peek: m.id })} className="min-h-6 rounded-sm text-start font-medium hover:underline">
                          {m.name}
                        </button>
                        {m.upstreamName !== m.name && <span className="block text-xs text-muted">{m.upstreamName}</span>}
                      </Td>
                      {whole && <Td wide>{m.provider?.name}</Td>}
                      <Td wide className="text-muted">
                        {t('{{tokens}} tokens', { tokens: compactCount(m.contextLength) })}
                      </Td>
                      <Td className="text-end whitespace-nowrap">
                        <PriceCell model={m} onEdit={may(m, 'modelPrice.publish') ? () => setOpen({ price: m }) : undefined} />
                      </Td>
                      <Td>
                        <Switch checked={m.status === 'ACTIVE'} disabled={!may(m, 'model.update') || update.busy} onChange={(on) => toggle(m, on)} label={t('{{model}} on', { model: m.name })} />
                      </Td>
                    </tr>
                  ))}
                </tbody>
              </Table>
            )}
          </div>
        </Card>
      )}
      {console && (
        <div className="mt-6">
          <DefaultModel scopeId={console.id} models={console.models.edges.map((e) => e.node).filter((m) => m.status === 'ACTIVE')} editable={may(console, 'defaultModel.set')} />
        </div>
      )}
      {url.peek && <ModelPeek key={url.peek} id={url.peek} plane="CONSOLE" onClose={() => setUrl({ peek: undefined })} />}
      {open === 'provider' && <NewProvider onClose={close} onMade={(p) => setOpen({ model: p })} />}
      {typeof open === 'object' && 'model' in open && console && <CreateModel rootId={console.id} provider={open.model} providers={providers} onClose={close} />}
      {typeof open === 'object' && 'price' in open && <PublishPrice model={open.price} onClose={close} />}
    </>
  )
}

function PriceCell({ model, onEdit }: { model: ModelPartsFragment; onEdit?: () => void }) {
  const text = model.price ? `${exact(model.price.input, 'USD')} / ${exact(model.price.output, 'USD')}` : model.ceiling ? t('≤ {{amount}} a call', { amount: exact(model.ceiling, 'USD') }) : t('No price')
  if (!onEdit) return <>{text}</>
  return (
    <button type="button" onClick={onEdit} aria-label={t('Change the price of {{model}}, {{price}}', { model: model.name, price: text })} className="-mx-1 min-h-6 rounded-sm px-1 underline decoration-line-strong decoration-dotted underline-offset-4 hover:bg-hover">
      {text}
    </button>
  )
}

function ProviderRow({ provider: p, onAddModel, onTested }: { provider: ProviderPartsFragment; onAddModel?: () => void; onTested: () => void }) {
  const test = useMutate(ProviderTestDocument)
  const [result, setResult] = useState<{ ok: boolean; text: string }>()
  const run = async () => {
    const payload = await test.run({ input: { providerId: p.id } })
    if (!payload) return
    const refused = payload.errors[0]?.message
    setResult({
      ok: payload.ok && !refused,
      text: refused ?? (payload.ok ? t('Works: {{count}} models, answered in {{ms}} ms', { count: payload.models.length, ms: payload.latencyMs }) : payload.message),
    })
    onTested()
  }
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-b-0">
      <div className="min-w-48 grow basis-64">
        <p className="flex items-center gap-2 font-medium">
          {p.name}
          {p.status === 'DISABLED' && <Badge>{t('Disabled')}</Badge>}
        </p>
        <p className="truncate text-xs text-muted">
          {p.baseUrl} · {p.secretHint ? t('key …{{hint}}', { hint: p.secretHint }) : t('no key')} · {t('{{count}} models', { count: p.models.length })}
        </p>
      </div>
      <div className="min-w-40 text-xs" aria-live="polite">
        {test.fault ? (
          <span className="text-bad">{test.fault.message}</span>
        ) : result ? (
          <Health ok={result.ok} text={result.text} />
        ) : p.testedAt ? (
          <Health ok={!p.testError} text={p.testError ?? t('Worked {{when}}', { when: ago(p.testedAt) })} title={utc(p.testedAt)} />
        ) : (
          <span className="text-muted">{t('Never tested')}</span>
        )}
      </div>
      {may(p, 'provider.test') && (
        <Button size="sm" busy={test.busy} onClick={run}>
          {t('Test')}
        </Button>
      )}
      {onAddModel && (
        <Button size="sm" onClick={onAddModel}>
          <Plus aria-hidden /> {t('Model')}
        </Button>
      )}
    </li>
  )
}

/** Adds and tests at once: an endpoint that doesn't answer is known before anybody calls it. */
function NewProvider({ onClose, onMade }: { onClose: () => void; onMade: (provider: ProviderPartsFragment) => void }) {
  const create = useMutate(ProviderCreateDocument)
  const test = useMutate(ProviderTestDocument)
  return (
    <EndpointForm
      title={t('Add provider')}
      description={t('An OpenAI-compatible endpoint of your own. Its key is encrypted and never shown again.')}
      submit={t('Add in Console')}
      fault={create.fault}
      onClose={onClose}
      onSubmit={async (values) => {
        const payload = await create.run({ input: values })
        if (!payload) return []
        if (!payload.provider) return payload.errors
        const tested = await test.run({ input: { providerId: payload.provider.id } })
        toast(tested?.ok ? t('{{name}} works', { name: values.name }) : t('{{name}} is added, but its test failed', { name: values.name }))
        onMade(payload.provider)
        return []
      }}
    />
  )
}
