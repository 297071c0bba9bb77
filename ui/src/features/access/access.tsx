import { Plus, ShieldQuestionMark } from 'lucide-react'
import { useState } from 'react'
import { PlaneGrantsDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { nameOf, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { FeatureSwitches } from '@/features/features'
import { useWithin } from '@/features/roles'
import { useItem, usePlaces } from './choices'
import { GrantDialog } from './grant-dialog'
import { GrantList } from './grant-list'
import { AccessResources } from './resources'
import { ScopePicker } from './scope-picker'
import { type Question, Why } from './why'
import { WhyNot } from './why-not'

type Tab = 'why' | 'place' | 'grants' | 'features'

const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'why', label: t("Why can't I?") },
  { value: 'place', label: t('By place') },
  { value: 'grants', label: t('All grants') },
  { value: 'features', label: t('Features') },
]

type Url = { tab: string } & Required<Question>

/** Who may do and use what in a plane, and why. */
export function AccessPage({ plane }: { plane: Plane }) {
  const [url, setUrl] = useUrl<Url>()
  const tab = tabs.find((p) => p.value === url.tab)?.value ?? 'why'
  const { places } = usePlaces(plane)
  const [granting, setGranting] = useState(false)
  const { allowed: mayGrant, node } = useWithin('grant.set', plane)
  useKeys({ c: () => mayGrant && setGranting(true) })
  return (
    <>
      <PageHead title={t('Access')} note={t('Who may do and use what in {{plane}}, and what decides.', { plane: nameOf(plane) })}>
        {!mayGrant && <WhyNot plane={plane} node={node} action="grant.set" />}
        {mayGrant && (
          <Button size="sm" variant="primary" onClick={() => setGranting(true)}>
            <Plus aria-hidden /> {plane === 'COPILOT' ? t('Allow or deny') : t('Allow or deny a model')}
          </Button>
        )}
      </PageHead>
      <Segments<Tab> label={t('Show')} value={tab} onChange={(next) => setUrl({ tab: next === 'why' ? undefined : next })} options={tabs} className="mb-4" />
      {tab === 'why' && (
        <Card className="mx-auto max-w-3xl p-5 max-sm:p-4">
          <Why plane={plane} question={{ user: url.user, resource: url.resource, action: url.action, scope: url.scope }} onChange={({ user, resource, action, scope }) => setUrl({ user, resource, action, scope })} />
        </Card>
      )}
      {tab === 'place' && <ByPlace plane={plane} scopeId={url.scope ?? places[0]?.id} onChange={(scope) => setUrl({ scope })} />}
      {tab === 'features' && <FeaturesOf plane={plane} scopeId={url.scope ?? places[0]?.id} onChange={(scope) => setUrl({ scope })} />}
      {tab === 'grants' && places[0] && <Grants plane={plane} under={places.find((p) => p.kind === plane)?.id ?? places[0].id} />}
      {granting && <GrantDialog plane={plane} onClose={() => setGranting(false)} />}
    </>
  )
}

function ByPlace({ plane, scopeId, onChange }: { plane: Plane; scopeId?: string; onChange: (scopeId: string) => void }) {
  const place = useItem(scopeId)
  return (
    <Card className="mx-auto max-w-3xl p-5 max-sm:p-4">
      <div className="mb-4 max-w-md">
        <ScopePicker aria-label={t('Place')} plane={plane} value={place} onChange={(next) => onChange(next.value)} />
      </div>
      {scopeId && <AccessResources key={scopeId} scopeId={scopeId} plane={plane} />}
    </Card>
  )
}

function FeaturesOf({ plane, scopeId, onChange }: { plane: Plane; scopeId?: string; onChange: (scopeId: string) => void }) {
  const place = useItem(scopeId)
  return (
    <Card className="mx-auto max-w-3xl p-5 max-sm:p-4">
      <div className="mb-4 max-w-md">
        <ScopePicker aria-label={t('Place')} plane={plane} value={place} onChange={(next) => onChange(next.value)} />
      </div>
      {scopeId && place && <FeatureSwitches key={scopeId} scope={{ id: scopeId, name: place.label }} root={scopeId.startsWith(plane === 'CONSOLE' ? 'con_' : 'cop_')} />}
    </Card>
  )
}

function Grants({ plane, under }: { plane: Plane; under: string }) {
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(PlaneGrantsDocument, { scopeId: under }, (d) => d.access?.grants)
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={6} height="h-15" />}
        {data && rows.length === 0 && !fault && (
          <Empty icon={<ShieldQuestionMark aria-hidden />} title={t('Nothing is granted yet')}>
            {t('Nothing granted means nothing allowed: nobody can use anything in {{plane}}.', { plane: nameOf(plane) })}
          </Empty>
        )}
        <GrantList plane={plane} grants={rows} models />
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} grants', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
    </>
  )
}
