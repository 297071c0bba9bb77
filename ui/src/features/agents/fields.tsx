import { Plus, Trash2 } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Field, Input, Textarea } from '@/kit/field'
import { type Item, ManyPicker, Picker } from '@/kit/picker'
import { Select } from '@/kit/select'
import { SkeletonBlock } from '@/kit/skeleton'
import { t } from '@/lib/i18n'
import { type Draft, mistakes } from './draft'
import { icons } from './words'

const Instructions = lazy(() => import('./instructions'))

export type Choices = { models: readonly Item[]; tools: readonly Item[] }

type Props = { draft: Draft; set: (patch: Partial<Draft>) => void; choices: Choices; disabled: boolean; errors: Record<string, string> }

const kilobytes = (text: string) => new TextEncoder().encode(text).length / 1024

/** What an agent says and calls. */
export function Building({ draft, set, choices, disabled, errors, children }: Props & { children: React.ReactNode }) {
  const wrong = mistakes(draft)
  const size = kilobytes(draft.instructions)
  return (
    <>
      <Card>
        <CardHead title={t('Instructions')} note={t('Go before every conversation. Those who use the agent never see them.')} />
        <div className="px-4 pb-4">
          <Suspense fallback={<SkeletonBlock className="h-80" />}>
            <Instructions id="agent-instructions" label={t('Instructions')} aria-describedby="agent-instructions-note" value={draft.instructions} onChange={(instructions) => set({ instructions })} disabled={disabled} />
          </Suspense>
          <p id="agent-instructions-note" className={`mt-1.5 text-xs ${size > 32 || errors.instructions ? 'text-bad' : 'text-muted'}`}>
            {errors.instructions ?? t('{{size}} of 32 kB', { size: size.toFixed(1) })}
          </p>
        </div>
      </Card>
      <Card>
        <CardHead title={t('Model')} note={t('People also need to be allowed the model itself.')} />
        <div className="grid gap-4 px-4 pb-4 sm:grid-cols-2">
          <Field label={t('Model')} required error={errors.modelId}>
            {(wiring) => <Picker {...wiring} items={choices.models} value={draft.modelId || null} onChange={(modelId) => set({ modelId, fallbackIds: draft.fallbackIds.filter((f) => f !== modelId) })} placeholder={t('Which model answers?')} />}
          </Field>
          <Field label={t('Fallback models')} error={errors.fallbackIds} hint={t('Tried in this order while the one before brings no answer.')}>
            {(wiring) => <ManyPicker {...wiring} items={choices.models.filter((m) => m.value !== draft.modelId)} value={draft.fallbackIds} onChange={(fallbackIds) => set({ fallbackIds })} placeholder={t('None')} />}
          </Field>
          <Field label={t('Temperature')} error={wrong.temperature ? t('From 0 to 2.') : undefined} hint={t("Empty: the model's own.")}>
            {(wiring) => <Input {...wiring} value={draft.temperature} onChange={(e) => set({ temperature: e.target.value })} inputMode="decimal" className="num" disabled={disabled} />}
          </Field>
          <Field label={t('Top-p')} error={wrong.topP ? t('From 0 to 1.') : undefined} hint={t("Empty: the model's own.")}>
            {(wiring) => <Input {...wiring} value={draft.topP} onChange={(e) => set({ topP: e.target.value })} inputMode="decimal" className="num" disabled={disabled} />}
          </Field>
          <Field label={t('Longest answer, tokens')} error={wrong.maxOutputTokens ? t('A whole number up to 1,000,000.') : undefined} hint={t("Empty: the model's own.")}>
            {(wiring) => <Input {...wiring} value={draft.maxOutputTokens} onChange={(e) => set({ maxOutputTokens: e.target.value })} inputMode="numeric" className="num" disabled={disabled} />}
          </Field>
          <Field label={t('Reasoning effort')} hint={t('For models that think first.')}>
            {(wiring) => (
              <Select
                {...wiring}
                value={draft.reasoningEffort}
                onChange={(reasoningEffort) => set({ reasoningEffort })}
                options={[
                  { value: '', label: t("The model's own") },
                  { value: 'minimal', label: t('Minimal') },
                  { value: 'low', label: t('Low') },
                  { value: 'medium', label: t('Medium') },
                  { value: 'high', label: t('High') },
                ]}
              />
            )}
          </Field>
        </div>
      </Card>
      <Card>
        <CardHead title={t('Tools and knowledge')} note={t('What it may use, and pages that it knows of.')} />
        <div className="flex flex-col gap-4 px-4 pb-4">
          {choices.tools.length > 0 || draft.toolIds.length > 0 ? (
            <Field label={t('Tools')} error={errors.toolIds}>
              {(wiring) => <ManyPicker {...wiring} items={choices.tools} value={draft.toolIds} onChange={(toolIds) => set({ toolIds })} placeholder={t('None')} />}
            </Field>
          ) : (
            <p className="text-muted">{t('No tools are approved here yet. They come with connections.')}</p>
          )}
          <List
            label={t('Knowledge links')}
            error={errors.knowledge}
            add={t('Add a link')}
            rows={draft.knowledge}
            most={20}
            disabled={disabled}
            empty={{ title: '', url: '' }}
            onChange={(knowledge) => set({ knowledge })}
            renderRow={(k, change, n) => (
              <div className="flex min-w-0 grow gap-2 max-sm:flex-col">
                <Input aria-label={t('Title of link {{n}}', { n })} value={k.title} maxLength={120} onChange={(e) => change({ ...k, title: e.target.value })} placeholder={t('Title')} className="sm:max-w-52" disabled={disabled} />
                <Input aria-label={t('Address of link {{n}}', { n })} value={k.url} maxLength={2000} onChange={(e) => change({ ...k, url: e.target.value })} placeholder="https://…" inputMode="url" disabled={disabled} />
              </div>
            )}
          />
        </div>
      </Card>
      {children}
      <Card>
        <CardHead title={t('Conversation starters')} note={t('What people may begin with.')} />
        <div className="px-4 pb-4">
          <List
            error={errors.starters}
            add={t('Add a starter')}
            rows={draft.starters}
            most={8}
            disabled={disabled}
            empty=""
            onChange={(starters) => set({ starters })}
            renderRow={(s, change, n) => <Input aria-label={t('Starter {{n}}', { n })} value={s} maxLength={300} onChange={(e) => change(e.target.value)} disabled={disabled} />}
          />
        </div>
      </Card>
    </>
  )
}

type ListProps<T> = {
  label?: string
  error?: string
  add: string
  rows: readonly T[]
  most: number
  empty: T
  disabled: boolean
  onChange: (rows: T[]) => void
  renderRow: (value: T, change: (value: T) => void, n: number) => React.ReactNode
}

function List<T>({ label, error, add, rows, most, empty, disabled, onChange, renderRow }: ListProps<T>) {
  return (
    <div className="flex flex-col items-start gap-2" role="group" aria-label={label ?? add}>
      {label && <span className="text-sm font-medium">{label}</span>}
      {Array.from(rows.entries(), ([i, value]) => (
        <div key={i} className="flex w-full items-center gap-2">
          {renderRow(value, (next) => onChange(rows.map((r, at) => (at === i ? next : r))), i + 1)}
          <Button type="button" variant="ghost" size="sm" disabled={disabled} onClick={() => onChange(rows.filter((_, at) => at !== i))} aria-label={t('Remove {{n}}', { n: i + 1 })}>
            <Trash2 aria-hidden />
          </Button>
        </div>
      ))}
      {error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
      {rows.length < most && !disabled && (
        <Button type="button" size="sm" onClick={() => onChange([...rows, empty])}>
          <Plus aria-hidden /> {add}
        </Button>
      )}
    </div>
  )
}

/** What is around the definition: it changes at once for everybody, without a new version. */
export function Settings({ draft, set, disabled, errors }: Omit<Props, 'choices'>) {
  const wrong = mistakes(draft)
  return (
    <Card>
      <CardHead title={t('Settings')} note={t('These hold at once, without a new version.')} />
      <div className="grid gap-4 px-4 pb-4 sm:grid-cols-2">
        <Field label={t('Name')} required error={errors.name ?? (wrong.name ? t('Give it a name.') : undefined)}>
          {(wiring) => <Input {...wiring} value={draft.name} maxLength={120} onChange={(e) => set({ name: e.target.value })} disabled={disabled} />}
        </Field>
        <Field label={t('Group')} error={errors.group} hint={t('Agents of the same group are listed together.')}>
          {(wiring) => <Input {...wiring} value={draft.group} maxLength={80} onChange={(e) => set({ group: e.target.value })} disabled={disabled} />}
        </Field>
        <Field label={t('Purpose')} error={errors.purpose} className="sm:col-span-2" hint={t('In a sentence, for those who choose.')}>
          {(wiring) => <Textarea {...wiring} value={draft.purpose} maxLength={500} onChange={(e) => set({ purpose: e.target.value })} disabled={disabled} className="min-h-16" />}
        </Field>
        <Field label={t('Icon')}>
          {(wiring) => <Select {...wiring} value={draft.icon} onChange={(icon) => set({ icon })} options={[{ value: '', label: t('Plain') }, ...(draft.icon && !icons[draft.icon] ? [{ value: draft.icon, label: draft.icon }] : []), ...Object.keys(icons).map((name) => ({ value: name, label: name.replaceAll('-', ' ') }))]} />}
        </Field>
        <div className="grid grid-cols-2 gap-4">
          <Field label={t('Credits a session')} error={errors.sessionCredits ?? (wrong.sessionCredits ? t('An amount such as 120.') : undefined)} hint={t('Empty: no cap.')}>
            {(wiring) => <Input {...wiring} value={draft.sessionCredits} onChange={(e) => set({ sessionCredits: e.target.value })} inputMode="decimal" className="num" disabled={disabled} />}
          </Field>
          <Field label={t('Turns a session')} error={errors.sessionTurns ?? (wrong.sessionTurns ? t('A whole number.') : undefined)} hint={t('Empty: no cap.')}>
            {(wiring) => <Input {...wiring} value={draft.sessionTurns} onChange={(e) => set({ sessionTurns: e.target.value })} inputMode="numeric" className="num" disabled={disabled} />}
          </Field>
        </div>
      </div>
    </Card>
  )
}
