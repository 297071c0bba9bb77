import { RotateCcw } from 'lucide-react'
import { type ReactNode, useId, useMemo, useState } from 'react'
import { ForecastWhatIfDocument, WhatIfModelsDocument, type WhatIfInput } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { useViewer, type Viewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Segments } from '@/kit/toggle'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { ask, pick, type Plane } from '@/lib/plane'
import { Course } from './course'
import { answerSentence } from './sentence'

type Draft = { users: number; from: string | null; to: string | null; share: number; price: number; factor: string; days: '' | '30' | '90' }

const nothing: Draft = { users: 0, from: null, to: null, share: 50, price: 0, factor: '', days: '' }

function toInput(d: Draft): WhatIfInput {
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(d.factor.trim()) ? Math.round(Number(d.factor) * 1_000_000) : 0
  return {
    usersPercent: d.users || undefined,
    moves: d.from && d.to && d.share > 0 ? [{ fromModelId: d.from, toModelId: d.to, percent: d.share }] : undefined,
    prices: d.from && d.price ? [{ modelId: d.from, percent: d.price }] : undefined,
    factorPpm: factor || undefined,
    days: d.days ? Number(d.days) : undefined,
  }
}

/** What the plane would spend if something changed: the answer follows the sliders. */
export function WhatIfPanel({ plane }: { plane: Plane }) {
  const viewer = useViewer()
  const [draft, setDraft] = useState(nothing)
  const set = (part: Partial<Draft>) => setDraft((was) => ({ ...was, ...part }))
  const { data: plan, fault: planFault } = useRead(WhatIfModelsDocument, ask(plane))
  const root = pick(plan)
  const scopeId = placeOf(viewer, plane) ?? root?.id
  const settled = useDebounced(JSON.stringify(toInput(draft)))
  const input = useMemo(() => JSON.parse(settled) as WhatIfInput, [settled])
  const { data, fault, loading, fetching } = useRead(ForecastWhatIfDocument, { scopeId: scopeId ?? '', input }, !scopeId)
  const answer = data?.forecastWhatIf
  const models = root?.models.edges.map((e) => ({ value: e.node.id, label: e.node.name })) ?? []
  const used = answer?.models.map((m) => ({ value: m.modelId, label: m.name })) ?? []
  const admin = viewer.roles.some((r) => r.kind === 'ACCOUNT' && r.role === 'ADMIN')
  const changed = JSON.stringify(draft) !== JSON.stringify(nothing)
  return (
    <Card>
      <CardHead title={t('What if')} note={t('By the usage of the last 30 days; nothing is changed.')}>
        {changed && (
          <Button size="sm" variant="ghost" onClick={() => setDraft(nothing)}>
            <RotateCcw aria-hidden /> {t('As it is')}
          </Button>
        )}
      </CardHead>
      <div className="grid gap-x-8 gap-y-5 border-t border-line px-4 py-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <div className="flex flex-col gap-4">
          <Slider label={t('Users')} value={draft.users} min={-100} max={300} step={5} show={signed(draft.users)} onChange={(users) => set({ users })} />
          <Row label={t('A model of today')}>{(id) => <Select id={id} value={draft.from} onChange={(from) => set({ from })} options={used} placeholder={t('Choose')} />}</Row>
          {draft.from && (
            <>
              <Row label={t('moves to')}>{(id) => <Select id={id} value={draft.to} onChange={(to) => set({ to })} options={models.filter((m) => m.value !== draft.from)} placeholder={t('Stays')} />}</Row>
              {draft.to && <Slider label={t('How much of it')} value={draft.share} min={0} max={100} step={5} show={`${draft.share}%`} onChange={(share) => set({ share })} />}
              <Slider label={t('Its price')} value={draft.price} min={-100} max={200} step={5} show={signed(draft.price)} onChange={(price) => set({ price })} />
            </>
          )}
          {plane === 'COPILOT' && admin && <Row label={t('Credits per US dollar')}>{(id) => <Input id={id} inputMode="decimal" value={draft.factor} placeholder={t('As it is')} onChange={(e) => set({ factor: e.target.value })} className="num" />}</Row>}
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
          {(fault ?? planFault) && <ErrorBar fault={(fault ?? planFault)!} />}
          {loading && !fault && <SkeletonBlock className="h-40" />}
          {answer && (
            <>
              <p aria-live="polite" aria-busy={fetching} data-testid="what-if" className="num text-base font-medium text-balance">
                {answerSentence(answer)}
              </p>
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
