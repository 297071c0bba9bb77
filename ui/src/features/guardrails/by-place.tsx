import { GuardrailsAtDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { Badge } from '@/kit/badge'
import { Card } from '@/kit/card'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { ScopePicker, useItem } from '@/features/access'

/** What holds at a place, and where each comes from. */
export function ByPlace({ plane, scopeId, onChange }: { plane: Plane; scopeId: string; onChange: (scopeId: string) => void }) {
  const place = useItem(scopeId)
  const { data, loading, fault, retry } = useRead(GuardrailsAtDocument, { scopeId })
  const held = data?.scopeGuardrails ?? []
  return (
    <Card className="mx-auto max-w-3xl p-5 max-sm:p-4">
      <div className="mb-4 max-w-md">
        <ScopePicker aria-label={t('Place')} plane={plane} value={place} onChange={(next) => onChange(next.value)} />
      </div>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={2} height="h-12" />}
      {data && held.length === 0 && <p className="text-sm text-muted">{t('Nothing guards this place.')}</p>}
      <ul className="divide-y divide-line">
        {held.map((g) => (
          <li key={g.fromId + g.preset.id} className="flex items-center justify-between gap-3 py-2.5 text-sm">
            <span className="min-w-0">
              <span className="block truncate font-medium">{g.preset.name}</span>
              <span className="block truncate text-xs text-muted">{g.preset.description}</span>
            </span>
            <Badge tone={g.here ? 'accent' : 'plain'}>{g.here ? t('Assigned here') : t('From {{name}}', { name: g.fromName })}</Badge>
          </li>
        ))}
      </ul>
    </Card>
  )
}
