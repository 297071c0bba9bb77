import { Link } from '@tanstack/react-router'
import { ArrowLeft } from 'lucide-react'
import { AccountWhatIfDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Card } from '@/kit/card'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, planeOf, slugOf } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { WhatIf } from './panel'

/** What an account's products would spend, for super admins; nothing of what is below the two. */
export function AccountWhatIfPage({ id }: { id: string }) {
  const [url, setUrl] = useUrl<{ plane: string }>()
  const { data, loading, fault, retry } = useRead(AccountWhatIfDocument, { id })
  const mayFactor = useViewer().roles.some((r) => r.role === 'ADMIN')
  const a = data?.account
  const pools = ([['COPILOT', a?.copilot?.scope.id], ['CONSOLE', a?.console?.scope.id]] as const).flatMap(([plane, scopeId]) => (scopeId ? [{ plane, scopeId }] : []))
  const at = pools.find((p) => p.plane === planeOf(url.plane ?? '')) ?? pools[0]
  return (
    <>
      <Link to="/sa/accounts/$id" params={{ id }} className="mb-2 -ms-1 inline-flex h-6 items-center gap-1.5 rounded-sm px-1 text-xs text-muted hover:text-fg">
        <ArrowLeft aria-hidden className="size-3.5" /> {a?.name ?? t('Account')}
      </Link>
      <PageHead title={t('What if')} note={a ? t('What {{name}} would spend if something changed.', { name: a.name }) : undefined}>
        {pools.length > 1 && <Segments<Plane> label={t('Product')} value={at!.plane} onChange={(plane) => setUrl({ plane: slugOf(plane) })} options={pools.map((p) => ({ value: p.plane, label: nameOf(p.plane) }))} />}
      </PageHead>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonBlock className="h-96" />}
      {data && !a && !fault && (
        <Card>
          <Empty page title={t('There is no such account')}>{t('The address may be old or mistyped.')}</Empty>
        </Card>
      )}
      {a && !at && (
        <Card>
          <Empty page title={t('Nothing to look ahead at')}>{t('{{name}} has no pool in either product.', { name: a.name })}</Empty>
        </Card>
      )}
      {at && <WhatIf key={at.scopeId} plane={at.plane} scopeId={at.scopeId} mayFactor={mayFactor} />}
    </>
  )
}
