import { Lock } from 'lucide-react'
import { useState } from 'react'
import { FeatureSetDocument, type FeatureSwitch, ScopeFeaturesDocument, type ScopeFeaturesQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { featureName, switchName } from './words'

type Setting = NonNullable<ScopeFeaturesQuery['scopeFeatures']>['features'][number]

type Props = { scope: { id: string; name: string }; /** The top of its plane: nothing is above. */ root?: boolean; readOnly?: boolean }

/** Which features are on at a scope and where that is decided, with the switch for those who may set it. */
export function FeatureSwitches({ scope, root, readOnly }: Props) {
  const { data, loading, fault, retry } = useRead(ScopeFeaturesDocument, { scopeId: scope.id })
  const set = useMutate(FeatureSetDocument)
  const [refusal, setRefusal] = useState<string>()
  const found = data?.scopeFeatures
  const change = async (s: Setting, to: FeatureSwitch) => {
    setRefusal(undefined)
    const payload = await set.run({ input: { scopeId: scope.id, feature: s.feature, switch: to, expectedVersion: s.version } })
    if (!payload) return
    if (payload.errors[0]) setRefusal(payload.errors[0].message)
    else toast(t('{{feature}} in {{place}}: {{state}}', { feature: featureName[s.feature].name, place: scope.name, state: to === 'INHERIT' && root ? t('Not set') : switchName[to] }))
  }
  const failed = fault ?? set.fault
  return (
    <div className="flex flex-col gap-3">
      {failed && <ErrorBar fault={failed} retry={fault && retry} />}
      {refusal && <ErrorBar fault={{ code: 'REFUSED', message: refusal }} />}
      {loading && <SkeletonRows rows={4} />}
      {data && !found && !fault && <Empty title={t("It doesn't exist (any more), or you may not see it.")} />}
      {found && (
        <ul className="rounded-lg border border-line">
          {found.features.map((s) => (
            <li key={s.feature} className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-3 py-2.5 last:border-b-0">
              <div className="min-w-48 grow basis-56">
                <p className="flex flex-wrap items-center gap-2">
                  <span className="font-medium">{featureName[s.feature].name}</span>
                  <Badge tone={s.on ? 'ok' : 'plain'} dot={s.on}>
                    {s.on ? t('On') : t('Off')}
                  </Badge>
                </p>
                <p className="text-xs text-muted">{featureName[s.feature].note}</p>
                <p className="flex items-center gap-1 text-xs text-muted">
                  {s.locked && <Lock aria-hidden className="size-3 shrink-0" />}
                  {from(s, scope.id)}
                </p>
              </div>
              {!readOnly && may(found, 'feature.set') && (
                <Segments<FeatureSwitch>
                  label={t('{{feature}} here', { feature: featureName[s.feature].name })}
                  value={s.own}
                  onChange={(to) => to !== s.own && void change(s, to)}
                  options={(['INHERIT', 'ON', 'OFF', 'DENY'] as const).filter((v) => v !== 'ON' || !s.locked || s.own === 'ON').map((value) => ({ value, label: value === 'INHERIT' && root ? t('Not set') : switchName[value] }))}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function from(s: Setting, here: string): string {
  if (!s.fromName) return t('Nobody has switched it on.')
  if (s.locked) return t('Denied at {{place}}, which nothing below lifts.', { place: s.fromName })
  if (s.fromScopeId === here) return s.own === 'DENY' ? t('Denied here and below.') : t('Set here.')
  return t('From {{place}}.', { place: s.fromName })
}
