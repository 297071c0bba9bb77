import { Server } from 'lucide-react'
import { useState } from 'react'
import { CatalogueDocument, type CatalogueQuery, ModelInstallDocument, ModelUninstallDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { compactCount, exact } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { type GrantChoice, GrantTo, grantTo, grantToAll, ModelPeek, WhyNot } from '@/features/access'
import { WhatGoes } from '@/features/marketplace'
import { capabilityName } from './capability'
import { DefaultModel } from './default'

type Offer = NonNullable<CatalogueQuery['copilot']>['catalogModels']['edges'][number]['node']

export function CatalogueSwitches() {
  const [url, setUrl] = useUrl<{ q: string; peek: string }>()
  const { data, loading, fault, retry } = useRead(CatalogueDocument, {})
  const install = useMutate(ModelInstallDocument)
  const uninstall = useMutate(ModelUninstallDocument)
  const [opening, setOpening] = useState<Offer>()
  const [closing, setClosing] = useState<Offer>()
  const allowed = may(data?.copilot, 'model.install')
  const offers = (data?.copilot?.catalogModels.edges ?? []).map((e) => e.node).filter((m) => `${m.name} ${m.description}`.toLowerCase().includes((url.q ?? '').toLowerCase()))
  const failed = fault ?? install.fault ?? uninstall.fault

  const switchOn = async (offer: Offer, grantTo?: string[]) => {
    const payload = await install.run({ input: { catalogModelId: offer.id, grantTo } })
    setOpening(undefined)
    if (!payload) return
    if (payload.errors[0]) install.setFault(payload.errors[0])
    else toast(t('{{model}} can be called in Copilot', { model: offer.name }))
  }
  const switchOff = async (offer: Offer) => {
    const payload = await uninstall.run({ input: { modelId: offer.installed!.id } })
    setClosing(undefined)
    if (!payload) return
    if (payload.errors[0]) uninstall.setFault(payload.errors[0])
    else toast(t('{{model}} is off', { model: offer.name }), () => void switchOn(offer))
  }

  return (
    <>
      <PageHead title={t('Models')} note={t('What the platform offers your account. Only models that are on can be called, by those who may use them.')}>
        <WhyNot plane="COPILOT" node={data?.copilot} action="model.install" />
        <Filter value={url.q ?? ''} onChange={(q) => setUrl({ q: q || undefined })} label={t('Filter models')} />
      </PageHead>
      {failed && (
        <div className="mb-4">
          <ErrorBar fault={failed} retry={fault && retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-15" />}
        {data && offers.length === 0 && <Empty icon={<Server aria-hidden />} title={url.q ? t('No model matches') : t('Nothing is offered yet')} />}
        {offers.length > 0 && (
          <Table label={t('Models')}>
            <Head>
              <Th>{t('Model')}</Th>
              <Th wide>{t('Class')}</Th>
              <Th wide>{t('Context')}</Th>
              <Th className="text-end whitespace-normal">{t('Credits per 1M in / out')}</Th>
              <Th className="w-24">{t('On')}</Th>
            </Head>
            <tbody>
              {offers.map((m) => {
                const on = m.installed?.status === 'ACTIVE'
                return (
                  <tr key={m.id} className={rowClass}>
                    <Td>
                      {m.installed ? (
                        <button type="button" data-row-link onClick={() => setUrl({ peek: m.installed!.id })} className="min-h-6 rounded-sm text-start font-medium hover:underline">
                          {m.name}
                        </button>
                      ) : (
                        <span className="font-medium">{m.name}</span>
                      )}
                      <span className="block max-w-md truncate text-xs text-muted max-sm:max-w-32">{m.description}</span>
                    </Td>
                    <Td wide>
                      <Badge tone="info">{capabilityName[m.capability]}</Badge>
                    </Td>
                    <Td wide className="text-muted">
                      {t('{{tokens}} tokens', { tokens: compactCount(m.contextLength) })}
                    </Td>
                    <Td className="text-end sm:whitespace-nowrap">{m.creditPrice ? `${exact(m.creditPrice.input, 'CREDITS')} / ${exact(m.creditPrice.output, 'CREDITS')}` : <span className="text-muted">{t('No price')}</span>}</Td>
                    <Td>
                      <Switch checked={on} disabled={!allowed || install.busy || uninstall.busy} onChange={(next) => (next ? setOpening(m) : setClosing(m))} label={t('{{model}} on', { model: m.name })} />
                    </Td>
                  </tr>
                )
              })}
            </tbody>
          </Table>
        )}
      </Card>
      {data?.copilot && (
        <div className="mt-6">
          <DefaultModel scopeId={data.copilot.id} models={offers.flatMap((o) => (o.installed?.status === 'ACTIVE' ? [{ id: o.installed.id, name: o.name }] : []))} editable={may(data.copilot, 'defaultModel.set')} />
        </div>
      )}
      {url.peek && <ModelPeek key={url.peek} id={url.peek} plane="COPILOT" onClose={() => setUrl({ peek: undefined })} />}
      {opening && <SwitchOn offer={opening} rootId={data?.copilot?.id} busy={install.busy} onClose={() => setOpening(undefined)} onConfirm={(scopes) => switchOn(opening, scopes)} />}
      {closing && (
        <Dialog open onClose={() => setClosing(undefined)} title={t('Switch {{model}} off?', { model: closing.name })}>
          <p className="mb-4">{t('Calls to it are refused at once, in every key and agent that uses it. Switching it on again brings it back as it was.')}</p>
          <WhatGoes resourceId={closing.installed!.id} />
          <DialogActions>
            <Button onClick={() => setClosing(undefined)}>{t('Keep it on')}</Button>
            <Button variant="danger" busy={uninstall.busy} onClick={() => switchOff(closing)}>
              {t('Switch off in Copilot')}
            </Button>
          </DialogActions>
        </Dialog>
      )}
    </>
  )
}

type SwitchOnProps = { offer: Offer; rootId?: string; busy: boolean; onClose: () => void; onConfirm: (scopes?: string[]) => void }

/** Nothing granted means nothing allowed: so switching a model on asks who may use it. */
function SwitchOn({ offer, rootId, busy, onClose, onConfirm }: SwitchOnProps) {
  const again = Boolean(offer.installed)
  const [access, setAccess] = useState<GrantChoice>(again ? { to: 'nobody', scopes: [] } : grantToAll)
  const [error, setError] = useState<string>()
  return (
    <Dialog open onClose={onClose} title={t('Switch {{model}} on', { model: offer.name })} description={offer.description}>
      <GrantTo plane="COPILOT" value={access} onChange={setAccess} again={again} error={error} />
      <DialogActions>
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button variant="primary" busy={busy} onClick={() => (access.to === 'some' && access.scopes.length === 0 ? setError(t('Choose at least one, or nobody yet.')) : onConfirm(grantTo(access, rootId)))}>
          {t('Switch on in Copilot')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
