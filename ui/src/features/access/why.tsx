import { Search } from 'lucide-react'
import { useMemo, useState } from 'react'
import { ExplainDocument, OwnSeatsDocument, type ResourceKind, SeatChoicesDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { readsPlane, useViewer } from '@/graphql/viewer'
import { Field } from '@/kit/field'
import { type Item, Picker } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { UserPicker } from '@/features/users'
import { actionsAt, actOf } from './actions'
import { useItem, usePlaces, useResourceItems } from './choices'
import { Explained } from './explained'
import { verdict, verdictAt } from './explanation'
import { kindOf, kindsOf, kindWords } from './kinds'
import { ResourcePicker } from './resource-picker'
import { ScopePicker } from './scope-picker'

/** A question: may this person (left out: the reader) use this, or do this, at that place? */
export type Question = { user?: string; resource?: string; action?: string; scope?: string }

type Props = { plane: Plane; question: Question; onChange: (question: Question) => void }

/** Asks and answers at once: the answer follows as soon as the question is whole. */
export function Why({ plane, question, onChange }: Props) {
  const viewer = useViewer()
  const mayAskAboutOthers = readsPlane(viewer, plane)
  const [mode, setMode] = useState<ResourceKind | 'action'>(question.action ? 'action' : kindOf(question.resource))
  const [kind, setKind] = useState<ResourceKind>(kindOf(question.resource))
  const [chosen, setChosen] = useState<Item>()
  const named = useResourceItems(plane, kind).items.find((m) => m.value === question.resource)
  const choices = useMemo(() => actionsAt(plane, question.scope), [plane, question.scope])
  const me: Item = { value: viewer.user?.id ?? '', label: t('Me ({{name}})', { name: viewer.user?.name ?? viewer.name }) }
  const person = useItem(question.user)
  const { scope, searching } = useScope(plane, question, person)
  const place = useItem(scope)
  const model = question.resource ? (chosen?.value === question.resource ? chosen : (named ?? { value: question.resource, label: kindWords[kind].one.toLowerCase() })) : undefined
  const name = question.user ? person?.label : undefined
  // A model is used in a seat; of any other place the answer is about the place.
  const atPlace = mode !== 'action' && model && place && !scope?.startsWith('mem_')
  const act = mode === 'action' ? question.action && actOf(question.action) : model && t('use {{model}}', { model: model.label })
  const input = { userId: question.user, scopeId: scope ?? '', ...(mode === 'action' ? { action: question.action } : { resourceId: question.resource }) }
  const { data, fault, loading, retry } = useRead(ExplainDocument, { input }, !act || !scope)

  return (
    <div className="grid gap-5">
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {mayAskAboutOthers && (
          <Field label={t('Who')}>
            {(wiring) => <UserPicker {...wiring} value={question.user ? person : me} onChange={(user) => onChange({ ...question, user: user.value === me.value ? undefined : user.value, scope: undefined })} />}
          </Field>
        )}
        <Field label={t('Where')} hint={searching ? undefined : !scope && t('Choose a place in {{plane}}.', { plane: nameOf(plane) })}>
          {(wiring) => <ScopePicker {...wiring} plane={plane} value={place} onChange={(next) => onChange({ ...question, scope: next.value })} />}
        </Field>
        <div className="grid gap-1.5 sm:col-span-2">
          <span className="text-sm font-medium">{t('What')}</span>
          <div className="flex flex-wrap gap-2">
            <Segments<ResourceKind | 'action'>
              label={t('What is asked about')}
              value={mode}
              onChange={(next) => {
                setMode(next)
                if (next !== 'action') setKind(next)
                onChange({ ...question, resource: undefined, action: undefined })
              }}
              options={[
                ...kindsOf(plane).map((value) => ({ value, label: kindWords[value].why })),
                { value: 'action', label: t('Do something') },
              ]}
              className="self-start"
            />
            <div className="min-w-56 grow">
              {mode !== 'action' ? (
                <ResourcePicker
                  key={kind}
                  aria-label={kindWords[kind].one}
                  plane={plane}
                  kind={kind}
                  value={model ?? null}
                  onChange={(item) => {
                    setChosen(item)
                    onChange({ ...question, resource: item.value, action: undefined })
                  }}
                  className="h-8"
                />
              ) : (
                <Picker aria-label={t('Action')} items={choices} value={question.action ?? null} onChange={(action) => onChange({ ...question, action, resource: undefined })} placeholder={t('Do what?')} className="h-8" />
              )}
            </div>
          </div>
        </div>
      </div>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {act && scope && !fault && loading && <SkeletonRows rows={4} />}
      {(!act || !scope) && (
        <Empty icon={<Search aria-hidden />} title={t('Ask, and see what decides')}>
          {t('The answer comes from the same rules that let calls through or refuse them, with each step down the tree.')}
        </Empty>
      )}
      {act && scope && data && !data.explain && <Empty title={t('Nothing is known about that')}>{t('The place, the person or the model does not exist, or you may not see it.')}</Empty>}
      {act && scope && data?.explain && <Explained key={JSON.stringify(input)} explanation={data.explain} verdict={atPlace ? verdictAt(data.explain.allowed, model.label, place.label) : verdict(data.explain.allowed, act, name)} question={name ? t('May {{name}} {{act}}?', { name, act }) : t('May I {{act}}?', { act })} />}
    </div>
  )
}

/** The place that is asked about: as chosen, else the person's own seat in the plane, else the highest that the reader sees. */
function useScope(plane: Plane, question: Question, person: Item | null): { scope?: string; searching: boolean } {
  const own = useRead(OwnSeatsDocument, {}, Boolean(question.scope || question.user))
  const others = useRead(SeatChoicesDocument, { ...ask(plane), search: person?.note }, Boolean(question.scope || !question.user || !person?.note))
  const { places, loading } = usePlaces(plane)
  if (question.scope) return { scope: question.scope, searching: false }
  if ((question.user ? others : own).loading || loading) return { searching: true }
  const top = places[0]?.id
  if (!question.user) return { scope: (plane === 'CONSOLE' ? own.data?.viewer.console : own.data?.viewer.copilot)?.id ?? top, searching: false }
  const seats = (pick(others.data)?.members.edges ?? []).map((e) => e.node).filter((m) => m.user.id === question.user)
  return { scope: (seats.find((s) => s.isDefault) ?? seats[0])?.id ?? top, searching: false }
}
