import { Pencil, Plus, Server } from 'lucide-react'
import { useState } from 'react'
import { CatalogDocument, type CatalogPartsFragment, type CatalogStatus, CatalogModelUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Filter } from '@/kit/filter'
import { PageHead } from '@/kit/page'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { count, dayIn, exact } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { capabilityName } from '@/features/models'
import { CreateCatalogModel, PublishCatalogPrice } from './forms'
import { OfferDialog } from './offer'
import { TakeAway } from './retire'
import { modalityName, TraitsDialog } from './traits'

const statuses: readonly { value: CatalogStatus; label: string }[] = [
  { value: 'DRAFT', label: t('Draft') },
  { value: 'ACTIVE', label: t('Active') },
  { value: 'RETIRED', label: t('Retired') },
]

const offeredTo = (m: CatalogPartsFragment) => (m.offer?.to === 'NAMED' ? (m.offer.accounts.length === 1 ? m.offer.accounts[0]!.name : t('{{count}} accounts', { count: m.offer.accounts.length })) : t('All'))

export function CatalogPage() {
  const { data, loading, fault, retry } = useRead(CatalogDocument, {})
  const update = useMutate(CatalogModelUpdateDocument)
  const [needle, setNeedle] = useState('')
  const [creating, setCreating] = useState(false)
  const [pricing, setPricing] = useState<CatalogPartsFragment>()
  const [taking, setTaking] = useState<{ model: CatalogPartsFragment; status: CatalogStatus }>()
  const [offering, setOffering] = useState<CatalogPartsFragment>()
  const [editing, setEditing] = useState<CatalogPartsFragment>()
  const platform = data?.platform
  const all = (platform?.catalogModels.edges ?? []).map((e) => e.node)
  const models = all.filter((m) => `${m.name} ${m.centralProvider?.name}`.toLowerCase().includes(needle.toLowerCase()))
  const providers = (platform?.centralProviders.edges ?? []).map((e) => e.node)
  const canCreate = may(platform, 'catalogModel.create')
  const failed = fault ?? update.fault
  useKeys({ c: () => canCreate && providers.length > 0 && setCreating(true) })

  const setStatus = async (m: CatalogPartsFragment, status: CatalogStatus) => {
    const payload = await update.run({ input: { catalogModelId: m.id, status, expectedVersion: m.version } })
    setTaking(undefined)
    if (!payload) return
    if (payload.errors[0]) return update.setFault(payload.errors[0])
    toast(t('{{model}} is {{status}}', { model: m.name, status: statuses.find((s) => s.value === status)!.label.toLowerCase() }))
  }

  return (
    <>
      <PageHead title={t('Copilot models')} note={t('What accounts may switch on. Prices in US dollars are the platform\'s alone; accounts see credits.')}>
        <Filter value={needle} onChange={setNeedle} label={t('Filter models')} />
        {canCreate && providers.length > 0 && (
          <Button size="sm" variant="primary" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {t('Add model')}
          </Button>
        )}
      </PageHead>
      {failed && (
        <div className="mb-4">
          <ErrorBar fault={failed} retry={fault && retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-15" />}
        {platform && models.length === 0 && (
          <Empty icon={<Server aria-hidden />} title={needle ? t('No model matches') : t('The catalogue is empty')}>
            {!needle && (providers.length === 0 ? t('Connect an upstream provider first.') : t('Add a model with its price.'))}
          </Empty>
        )}
        {models.length > 0 && (
          <Table label={t('Copilot models')}>
            <Head>
              <Th>{t('Model')}</Th>
              <Th wide>{t('Upstream')}</Th>
              <Th wide>{t('Class')}</Th>
              <Th className="text-end">{t('$ per 1M in / out')}</Th>
              <Th wide className="text-end">
                {t('Credits per 1M in / out')}
              </Th>
              <Th>{t('Offered to')}</Th>
              <Th wide className="text-end">
                {t('On in')}
              </Th>
              <Th wide className="w-36">
                {t('Status')}
              </Th>
            </Head>
            <tbody>
              {models.map((m) => {
                const price = m.price ? `${exact(m.price.input, 'USD')} / ${exact(m.price.output, 'USD')}` : t('No price')
                return (
                  <tr key={m.id} className={rowClass}>
                    <Td>
                      <span className="flex items-center gap-1.5">
                        <span className="font-medium">{m.name}</span>
                        {may(m, 'catalogModel.update') && (
                          <button type="button" onClick={() => setEditing(m)} aria-label={t('Edit {{model}}', { model: m.name })} className="flex size-6 items-center justify-center rounded-sm text-muted hover:bg-hover hover:text-fg [&>svg]:size-3.5">
                            <Pencil aria-hidden />
                          </button>
                        )}
                        {m.deprecatedAt && <Badge tone="warn">{t('Until {{date}}', { date: dayIn(m.deprecatedAt, 'UTC') })}</Badge>}
                      </span>
                      <span className="block max-w-xs truncate text-xs text-muted">{[m.inputs.map((x) => modalityName[x]).join(', '), m.region, m.description || m.upstreamName].filter(Boolean).join(' · ')}</span>
                    </Td>
                    <Td wide>{m.centralProvider?.name}</Td>
                    <Td wide>
                      <Badge tone="info">{capabilityName[m.capability]}</Badge>
                    </Td>
                    <Td className="text-end whitespace-nowrap">
                      {may(m, 'catalogPrice.publish') ? (
                        <button type="button" onClick={() => setPricing(m)} aria-label={t('Change the price of {{model}}, {{price}}', { model: m.name, price })} className="-mx-1 min-h-6 rounded-sm px-1 underline decoration-line-strong decoration-dotted underline-offset-4 hover:bg-hover">
                          {price}
                        </button>
                      ) : (
                        price
                      )}
                    </Td>
                    <Td wide className="text-end whitespace-nowrap text-muted">
                      {m.creditPrice && `${exact(m.creditPrice.input, 'CREDITS')} / ${exact(m.creditPrice.output, 'CREDITS')}`}
                    </Td>
                    <Td>
                      {may(m, 'catalogModel.offer') ? (
                        <button type="button" onClick={() => setOffering(m)} aria-label={t('Change to whom {{model}} is offered: {{to}}', { model: m.name, to: offeredTo(m) })} className="-mx-1 min-h-6 rounded-sm px-1 underline decoration-line-strong decoration-dotted underline-offset-4 hover:bg-hover">
                          {offeredTo(m)}
                        </button>
                      ) : (
                        offeredTo(m)
                      )}
                    </Td>
                    <Td wide className="text-end">
                      {m.accountCount !== null && m.accountCount !== undefined && count(m.accountCount)}
                    </Td>
                    <Td wide>
                      {may(m, 'catalogModel.update') ? (
                        <Select value={m.status} onChange={(s) => (m.status === 'ACTIVE' && s !== 'ACTIVE' ? setTaking({ model: m, status: s }) : setStatus(m, s))} options={statuses} aria-label={t('Status of {{model}}', { model: m.name })} className="h-8" />
                      ) : (
                        statuses.find((s) => s.value === m.status)!.label
                      )}
                    </Td>
                  </tr>
                )
              })}
            </tbody>
          </Table>
        )}
      </Card>
      {creating && <CreateCatalogModel providers={providers} onClose={() => setCreating(false)} />}
      {pricing && platform && <PublishCatalogPrice model={pricing} factor={platform.defaultCreditFactor} onClose={() => setPricing(undefined)} />}
      {offering && <OfferDialog model={offering} onClose={() => setOffering(undefined)} />}
      {editing && <TraitsDialog model={editing} others={all.filter((m) => m.id !== editing.id)} onClose={() => setEditing(undefined)} />}
      {taking && <TakeAway model={taking.model} status={taking.status} busy={update.busy} onClose={() => setTaking(undefined)} onConfirm={() => setStatus(taking.model, taking.status)} />}
    </>
  )
}
