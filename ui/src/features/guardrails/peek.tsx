import { Pencil, X } from 'lucide-react'
import { useState } from 'react'
import { GuardrailAssignDocument, type GuardrailPartsFragment, GuardrailUnassignDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import type { Plane } from '@/lib/plane'
import { ScopePicker } from '@/features/access'
import { placeName } from '@/features/roles'
import { actionOf, detectorName, directionName } from './words'

type Props = { plane: Plane; preset: GuardrailPartsFragment; mayAssign: boolean; onChange?: () => void; onClose: () => void }

/** A guardrail with its rules, its places and what it found. */
export function GuardrailPeek({ plane, preset: p, mayAssign, onChange, onClose }: Props) {
  const account = useViewer().account.name
  const assign = useMutate(GuardrailAssignDocument)
  const unassign = useMutate(GuardrailUnassignDocument)
  const [refused, setRefused] = useState<string>()
  const change = async (run: typeof assign.run | typeof unassign.run, scopeId: string, done: string) => {
    const payload = await run({ input: { scopeId, presetId: p.id } })
    setRefused(payload?.errors[0]?.message)
    if (payload && !payload.errors[0]) toast(done)
  }
  const fault = assign.fault ?? unassign.fault
  return (
    <Sheet open onClose={onClose} title={p.name} description={p.description} className="max-w-xl">
      <div className="flex flex-col gap-6">
        {onChange && (
          <div>
            <Button size="sm" onClick={onChange}>
              <Pencil aria-hidden /> {t('Change')}
            </Button>
          </div>
        )}
        <section>
          <h3 className="mb-2 text-sm font-semibold">{t('Assigned to')}</h3>
          {(p.assignments ?? []).length === 0 && <p className="text-sm text-muted">{t('Nowhere within your reach. It guards nothing until it is assigned.')}</p>}
          <ul className="divide-y divide-line rounded-md border border-line empty:hidden">
            {(p.assignments ?? []).map((a) => {
              const place = placeName(a.scope, a.location, account)
              return (
                <li key={a.scope.id} className="flex items-center justify-between gap-3 px-3 py-1.5 text-sm">
                  <span className="truncate">{place}</span>
                  {mayAssign && (
                    <Button variant="ghost" size="icon" busy={unassign.busy} aria-label={t('Take off {{place}}', { place })} onClick={() => change(unassign.run, a.scope.id, t('{{name}} is taken off {{place}}', { name: p.name, place }))}>
                      <X aria-hidden />
                    </Button>
                  )}
                </li>
              )
            })}
          </ul>
          {mayAssign && (
            <div className="mt-3">
              <ScopePicker aria-label={t('Assign to')} plane={plane} value={null} placeholder={t('Assign to a place, and all below it')} onChange={(to) => change(assign.run, to.value, t('{{name}} holds in {{place}}', { name: p.name, place: to.label }))} />
            </div>
          )}
          {refused && (
            <p role="alert" className="mt-2 text-sm text-bad">
              {refused}
            </p>
          )}
          {fault && <ErrorBar fault={fault} />}
        </section>
        <section>
          <h3 className="mb-2 text-sm font-semibold">{t('Rules')}</h3>
          <ul className="divide-y divide-line rounded-md border border-line">
            {(p.rules ?? []).map((r) => (
              <li key={r.name} className="flex items-center justify-between gap-3 px-3 py-2 text-sm">
                <span className="min-w-0">
                  <span className="block truncate font-medium">{r.name}</span>
                  <span className="block truncate text-xs text-muted">
                    {detectorName(r.detector)} · {directionName(r.direction)}
                  </span>
                </span>
                <Badge tone={actionOf(r.action).tone}>{actionOf(r.action).label}</Badge>
              </li>
            ))}
          </ul>
          {p.moderation && <p className="mt-2 text-xs break-all text-muted">{t('Asks {{url}} as well.', { url: p.moderation.url })}</p>}
        </section>
        <section>
          <h3 className="mb-2 text-sm font-semibold">{t('Found in 30 days')}</h3>
          {(p.findings ?? []).length === 0 && <p className="text-sm text-muted">{t('Nothing yet.')}</p>}
          <ul className="flex flex-col gap-1.5">
            {(p.findings ?? []).map((f) => (
              <li key={f.rule + f.action + f.direction} className="flex items-baseline justify-between gap-3 text-sm">
                <span className="truncate">
                  {f.rule} <span className="text-xs text-muted">{directionName(f.direction)}</span>
                </span>
                <span className="shrink-0 text-muted tabular-nums">{t('{{count}} calls', { count: f.calls })}</span>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Sheet>
  )
}
