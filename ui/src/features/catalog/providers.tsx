import { PlugZap } from 'lucide-react'
import { useState } from 'react'
import { CatalogDocument, type CentralPartsFragment, CentralProviderCreateDocument, CentralProviderTestDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { EndpointForm, Health } from '@/features/models'

/** Endpoints that the platform runs for Copilot. */
export function CentralProvidersPage() {
  const { data, loading, fault, retry } = useRead(CatalogDocument, {})
  const create = useMutate(CentralProviderCreateDocument)
  const test = useMutate(CentralProviderTestDocument)
  const [adding, setAdding] = useState(false)
  const platform = data?.platform
  const providers = (platform?.centralProviders.edges ?? []).map((e) => e.node)
  const canAdd = may(platform, 'centralProvider.create')
  useKeys({ c: () => canAdd && setAdding(true) })
  return (
    <>
      <PageHead title={t('Upstream providers')} note={t('LLM endpoints that Copilot\'s models run on.')}>
        {canAdd && (
          <Button size="sm" variant="primary" onClick={() => setAdding(true)}>
            <PlugZap aria-hidden /> {t('Add upstream')}
          </Button>
        )}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={3} height="h-16" />}
        {platform && providers.length === 0 && <Empty icon={<PlugZap aria-hidden />} title={t('Connect the first upstream')} />}
        <ul>
          {providers.map((p) => (
            <Row key={p.id} provider={p} onTested={retry} />
          ))}
        </ul>
      </Card>
      {adding && (
        <EndpointForm
          title={t('Add upstream')}
          description={t('An OpenAI-compatible endpoint for all accounts. Its key is encrypted and never shown again.')}
          submit={t('Add upstream')}
          fault={create.fault}
          onClose={() => setAdding(false)}
          onSubmit={async (values) => {
            const payload = await create.run({ input: values })
            if (!payload) return []
            if (!payload.centralProvider) return payload.errors
            const tested = await test.run({ input: { centralProviderId: payload.centralProvider.id } })
            toast(tested?.ok ? t('{{name}} works', { name: values.name }) : t('{{name}} is added, but its test failed', { name: values.name }))
            setAdding(false)
            retry()
            return []
          }}
        />
      )}
    </>
  )
}

function Row({ provider: p, onTested }: { provider: CentralPartsFragment; onTested: () => void }) {
  const test = useMutate(CentralProviderTestDocument)
  const [result, setResult] = useState<{ ok: boolean; text: string }>()
  const run = async () => {
    const payload = await test.run({ input: { centralProviderId: p.id } })
    if (!payload) return
    const refused = payload.errors[0]?.message
    setResult({ ok: payload.ok && !refused, text: refused ?? (payload.ok ? t('Works: {{count}} models, answered in {{ms}} ms', { count: payload.models.length, ms: payload.latencyMs }) : payload.message) })
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
          {p.baseUrl} · {p.secretHint ? t('key …{{hint}}', { hint: p.secretHint }) : t('no key')}
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
      {may(p, 'centralProvider.test') && (
        <Button size="sm" busy={test.busy} onClick={run}>
          {t('Test')}
        </Button>
      )}
    </li>
  )
}
