import { ArrowRight, Plus, RotateCcw, X } from 'lucide-react'
import { type ReactNode, useId, useMemo, useState } from 'react'
import { ForecastWhatIfDocument, WhatIfRootDocument, type WhatIfInput } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer, type Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Input } from '@/kit/field'
import { type Item, Picker } from '@/kit/picker'
import { SkeletonBlock } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { count } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { ScopePicker } from '@/features/access'
import { Course } from './course'
import { type Draft, mostChanges, type Move, nothing, type Price, toInput } from './draft'
import { answerSentence, rangeSentence } from './sentence'

/** What a plane, or a part of it, would spend if something changed. */
export function WhatIfPanel({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const { data, fault } = useRead(WhatIfRootDocument, ask(plane))
  const root = pick(data)
  const [chosen, setChosen] = useState<Item | null>(null)
  const scopeId = chosen?.value ?? placeOf(viewer, plane) ?? root?.id
  const admin = viewer.roles.some((r) => r.kind === 'ACCOUNT' && r.role === 'ADMIN')
  return (
    <WhatIf key={scopeId} plane={plane} scopeId={scopeId} mayFactor={admin} fault={fault}>
      <Row label={t('Look ahead for')}>{(id) => <ScopePicker id={id} plane={plane} value={chosen} onChange={setChosen} placeholder={placeOf(viewer, plane) ? t('All that you administer') : t('All of {{plane}}', { plane: nameOf(plane) })} />}</Row>
    </WhatIf>
  )
}

type Props = { plane: Plane; scopeId?: string; mayFactor: boolean; fault?: Parameters<typeof ErrorBar>[0]['fault']; children?: ReactNode }

/** The answer follows what is imagined; `children` choose where. */
export function WhatIf({ plane, scopeId, mayFactor, fault: earlier, children }: Props) {
  const [draft, setDraft] = useState(nothing)
  const set = (part: Partial<Draft>) => setDraft((was) => ({ ...was, ...part }))
  const settled = useDebounced(JSON.stringify(toInput(draft)))
  const input = useMemo(() => JSON.parse(settled) as WhatIfInput, [settled])
  const { data, fault, loading, fetching } = useRead(ForecastWhatIfDocument, { scopeId: scopeId ?? '', input }, !scopeId)
  const answer = data?.forecastWhatIf
  const targets = answer?.targets.map((m) => ({ value: m.modelId, label: m.name })) ?? []
  const used = answer?.models.map((m) => ({ value: m.modelId, label: m.name })) ?? []
  const changed = JSON.stringify(draft) !== JSON.stringify(nothing)
  const key = () => Math.max(0, ...draft.moves.map((m) => m.key), ...draft.prices.map((p) => p.key)) + 1
  const setMove = (next: Move) => set({ moves: draft.moves.map((m) => (m.key === next.key ? next : m)) })
  const setPrice = (next: Price) => set({ prices: draft.prices.map((p) => (p.key === next.key ? next : p)) })
  return (
    <Card>
      <CardHead title={t('What if')} note={t('By the usage of the last 30 days; nothing is changed.')}>
        {changed && (
          <Button size="sm" variant="ghost" onClick={() => setDraft(nothing)}>
            <RotateCcw aria-hidden /> {t('As it is')}
          </Button>
        )}
      </CardHead>
      <div className="grid gap-x-8 gap-y-5 border-t border-line px-4 py-4 lg:grid-cols-[22rem_minmax(0,1fr)]">
        <div className="flex flex-col gap-4">
          {children}
          <div className="flex flex-col gap-1.5">
            {draft.usersBy === 'percent' ? (
              <Slider label={t('Users')} value={draft.usersPercent} min={-100} max={300} step={5} show={signed(draft.usersPercent)} onChange={(usersPercent) => set({ usersPercent })} />
            ) : (
              <Row label={t('Users')}>{(id) => <Input id={id} inputMode="numeric" value={draft.people} placeholder={t('+10, or −2')} onChange={(e) => set({ people: e.target.value })} className="num w-32" />}</Row>
            )}
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <Segments
                label={t('More or fewer users')}
                value={draft.usersBy}
                onChange={(usersBy) => set({ usersBy })}
                options={[
                  { value: 'percent', label: t('Percent') },
                  { value: 'people', label: t('Number') },
                ]}
              />
              {answer && <span className="text-xs text-muted">{answer.users === 1 ? t('one person called within 30 days') : t('{{count}} people called within 30 days', { count: count(answer.users) })}</span>}
            </div>
          </div>
          {draft.moves.map((m, i) => (
            <Change key={m.key} name={t('Move {{number}}', { number: i + 1 })} onRemove={() => set({ moves: draft.moves.filter((x) => x !== m) })}>
              <div className="grid grid-cols-[minmax(0,1fr)_auto_minmax(0,1fr)] items-center gap-1.5">
                <Picker aria-label={t('A model of today')} items={used} value={m.from} onChange={(from) => setMove({ ...m, from })} placeholder={t('From')} />
                <ArrowRight aria-hidden className="size-3.5 text-muted" />
                <Picker aria-label={t('moves to')} items={targets.filter((x) => x.value !== m.from)} value={m.to} onChange={(to) => setMove({ ...m, to })} placeholder={t('To')} />
              </div>
              <Slider label={t('How much of it')} value={m.share} min={0} max={100} step={5} show={`${m.share}%`} onChange={(share) => setMove({ ...m, share })} />
            </Change>
          ))}
          {draft.prices.map((p, i) => (
            <Change key={p.key} name={t('Price {{number}}', { number: i + 1 })} onRemove={() => set({ prices: draft.prices.filter((x) => x !== p) })}>
              <Picker aria-label={t('Whose price')} items={used} value={p.model} onChange={(model) => setPrice({ ...p, model })} placeholder={t('A model of today')} />
              <Slider label={t('Its price')} value={p.percent} min={-100} max={200} step={5} show={signed(p.percent)} onChange={(percent) => setPrice({ ...p, percent })} />
            </Change>
          ))}
          {used.length > 0 && (
            <div className="flex flex-wrap gap-2">
              {targets.length > 0 && draft.moves.length < mostChanges && (
                <Button size="sm" onClick={() => set({ moves: [...draft.moves, { key: key(), from: null, to: null, share: 50 }] })}>
                  <Plus aria-hidden /> {t('Move usage')}
                </Button>
              )}
              {draft.prices.length < mostChanges && (
                <Button size="sm" onClick={() => set({ prices: [...draft.prices, { key: key(), model: null, percent: 0 }] })}>
                  <Plus aria-hidden /> {t('Change a price')}
                </Button>
              )}
            </div>
          )}
          {plane === 'COPILOT' && mayFactor && <Row label={t('Credits per US dollar')}>{(id) => <Input id={id} inputMode="decimal" value={draft.factor} placeholder={t('As it is')} onChange={(e) => set({ factor: e.target.value })} className="num" />}</Row>}
          <Segments
            label={t('How far ahead')}
            value={draft.days || 'end'}
            onChange={(v) => set({ days: v === 'end' ? '' : (v as Draft['days']) })}
            options={[
              { value: 'end', label: t('This cycle') },
              { value: '30', label: t('30 days') },
              { value: '90', label: t('90 days') },
            ]}
            className="self-start"
          />
        </div>
        <div className="flex min-w-0 flex-col gap-3">
          {(fault ?? earlier) && <ErrorBar fault={(fault ?? earlier)!} />}
          {loading && !fault && <SkeletonBlock className="h-40" />}
          {answer && (
            <>
              <div aria-live="polite" aria-busy={fetching} className="num">
                <p data-testid="what-if" className="text-base font-medium text-balance">
                  {answerSentence(answer)}
                </p>
                <p data-testid="what-if-range" className="mt-0.5 text-sm text-muted">
                  {rangeSentence(answer)}
                </p>
              </div>
              <Course answer={answer} />
            </>
          )}
          {data && !answer && <p className="text-muted">{t('You may not look ahead here.')}</p>}
        </div>
      </div>
    </Card>
  )
}

/** Whose burn it is about: the whole plane, or what the viewer's role reaches. */
function placeOf(viewer: Viewer, plane: Plane): string | undefined {
  if (viewer.roles.some((r) => r.role !== 'MEMBER' && (r.kind === 'ACCOUNT' || r.kind === plane))) return undefined
  const role = (kind: string) => viewer.roles.find((r) => r.role !== 'MEMBER' && r.plane === plane && r.kind === kind)?.scopeId
  return role('ORGANIZATION') ?? role('TEAM')
}

/** One thing that is imagined, with a way to drop it. */
function Change({ name, onRemove, children }: { name: string; onRemove: () => void; children: ReactNode }) {
  return (
    <div role="group" aria-label={name} className="flex flex-col gap-2 rounded-md border border-line bg-bg px-3 py-2.5">
      <div className="flex items-center justify-between">
        <span aria-hidden className="text-xs font-medium text-muted">
          {name}
        </span>
        <Button variant="ghost" size="icon" className="-my-1.5 -me-2" aria-label={t('Drop {{name}}', { name })} onClick={onRemove}>
          <X aria-hidden />
        </Button>
      </div>
      {children}
    </div>
  )
}

const signed = (n: number) => (n === 0 ? t('as it is') : n > 0 ? `+${n}%` : `−${-n}%`)

function Row({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children(id)}
    </div>
  )
}

type SliderProps = { label: string; value: number; min: number; max: number; step: number; show: string; onChange: (value: number) => void }

function Slider({ label, value, min, max, step, show, onChange }: SliderProps) {
  const id = useId()
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-baseline justify-between">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        <span className="num text-sm text-muted">{show}</span>
      </div>
      <input id={id} type="range" min={min} max={max} step={step} value={value} aria-valuetext={show} onChange={(e) => onChange(Number(e.target.value))} className="h-6 w-full cursor-pointer accent-accent" />
    </div>
  )
}
