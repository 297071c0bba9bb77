import { Plus, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import type { Fault } from '@/graphql/fault'
import { GuardrailCreateDocument, type GuardrailPartsFragment, type GuardrailRuleInput, type GuardrailTemplatesQuery, GuardrailUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { Trial } from './trial'
import { actions, detectorName, detectors, directions } from './words'

export type Template = GuardrailTemplatesQuery['guardrailTemplates'][number]

type Draft = Required<Omit<GuardrailRuleInput, 'pattern' | 'words'>> & { key: number; pattern: string; words: string }

let keys = 0

type Props = { scopeId: string; preset?: GuardrailPartsFragment; template?: Template; onClose: () => void }

const draft = (r: Template['rules'][number]): Draft => ({ key: keys++, name: r.name, detector: r.detector, action: r.action, direction: r.direction, pattern: r.pattern ?? '', words: r.words.join('\n') })

const lines = (text: string) => text.split('\n').map((l) => l.trim()).filter(Boolean)

const toRule = (d: Draft): GuardrailRuleInput => ({
  name: d.name.trim(),
  detector: d.detector,
  action: d.action,
  direction: d.direction,
  ...(d.detector === 'REGEX' && { pattern: d.pattern }),
  ...(d.detector === 'WORDS' && { words: lines(d.words) }),
})

/** A line between slashes is a pattern. */
const toAllowed = (line: string) => (line.length > 2 && line.startsWith('/') && line.endsWith('/') ? { pattern: line.slice(1, -1) } : { text: line })

/** Makes a guardrail or changes one, with its effect on a text beside it. */
export function GuardrailEditor({ scopeId, preset, template, onClose }: Props) {
  const create = useMutate(GuardrailCreateDocument, { once: true })
  const update = useMutate(GuardrailUpdateDocument)
  const [name, setName] = useState(preset?.name ?? template?.name ?? '')
  const [description, setDescription] = useState(preset?.description ?? template?.description ?? '')
  const [rules, setRules] = useState<readonly Draft[]>((preset?.rules ?? template?.rules ?? []).map(draft))
  const [allow, setAllow] = useState((preset?.allow ?? []).map((a) => a.text ?? `/${a.pattern}/`).join('\n'))
  const m = preset?.moderation
  const [asks, setAsks] = useState(Boolean(m))
  const [url, setUrl] = useState(m?.url ?? '')
  const [secret, setSecret] = useState(m?.secretHint ?? '')
  const [timeout, setTimeoutMs] = useState(String(m?.timeoutMs ?? 3000))
  const [failOpen, setFailOpen] = useState(m?.failOpen ?? false)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [refusal, setRefusal] = useState<Fault>()

  const change = (at: number, to: Partial<Draft>) => setRules(rules.map((r, i) => (i === at ? { ...r, ...to } : r)))
  const add = () => setRules([...rules, { key: keys++, name: '', detector: 'EMAIL', action: 'REDACT', direction: 'BOTH', pattern: '', words: '' }])
  const inputs = rules.map(toRule)
  const exceptions = lines(allow).map(toAllowed)

  const save = async (event: FormEvent) => {
    event.preventDefault()
    setRefusal(undefined)
    if (!name.trim()) return setErrors({ name: t('Enter a name.') })
    setErrors({})
    const moderation = asks ? { url: url.trim(), secret, direction: m?.direction ?? 'BOTH', model: m?.model ?? '', timeoutMs: Number(timeout) || 0, failOpen } : m ? { url: '' } : undefined
    const input = { name: name.trim(), description, rules: inputs, allow: exceptions, moderation }
    const payload = preset ? await update.run({ input: { presetId: preset.id, ...input, expectedVersion: preset.version } }) : await create.run({ input: { scopeId, ...input } })
    if (!payload) return
    if (payload.errors.length > 0) {
      setErrors(Object.fromEntries(payload.errors.map((e) => [e.path.filter((p) => p !== 'input').join('.'), e.message])))
      return setRefusal({ code: 'INVALID', message: payload.errors[0]!.message })
    }
    toast(t('{{name}} is saved', { name: input.name }))
    onClose()
  }
  const fault = create.fault ?? update.fault ?? refusal
  return (
    <Dialog open onClose={onClose} title={preset ? t('Change {{name}}', { name: preset.name }) : t('New guardrail')} description={t('All rules hold at once. Try them on a text as you write them.')} className="max-w-6xl">
      <form noValidate onSubmit={save} className="grid gap-6 lg:grid-cols-[3fr_2fr]">
        <div className="flex min-w-0 flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t('Name')} required error={errors.name}>
              {(wiring) => <Input {...wiring} autoFocus value={name} maxLength={120} onChange={(e) => setName(e.target.value)} autoComplete="off" placeholder={t('Personal data')} />}
            </Field>
            <Field label={t('What it is for')} error={errors.description}>
              {(wiring) => <Input {...wiring} value={description} maxLength={500} onChange={(e) => setDescription(e.target.value)} autoComplete="off" />}
            </Field>
          </div>
          <section aria-label={t('Rules')} className="flex flex-col gap-2">
            <h3 className="text-sm font-semibold">{t('Rules')}</h3>
            {rules.map((r, i) => (
              <RuleRow key={r.key} at={i} rule={r} errors={errors} onChange={(to) => change(i, to)} onRemove={() => setRules(rules.filter((_, other) => other !== i))} />
            ))}
            {rules.length === 0 && <p className="text-sm text-muted">{t('No rule yet: nothing is looked for.')}</p>}
            <div>
              <Button size="sm" onClick={add}>
                <Plus aria-hidden /> {t('Add rule')}
              </Button>
            </div>
          </section>
          <Field label={t('Exceptions')} hint={t('One a line, left alone by these rules. A line between slashes is a pattern: /.*@acme\\.example/')} error={Object.entries(errors).find(([path]) => path.startsWith('allow'))?.[1]}>
            {(wiring) => <Textarea {...wiring} value={allow} onChange={(e) => setAllow(e.target.value)} rows={2} spellCheck={false} className="min-h-14 font-mono" />}
          </Field>
          <Checkbox checked={asks} onChange={setAsks}>
            {t('Ask an outside moderation service as well')}
          </Checkbox>
          {asks && (
            <div className="grid gap-4 rounded-md border border-line p-3 sm:grid-cols-2">
              <Field label={t('Address')} required error={errors.moderationUrl} className="sm:col-span-2">
                {(wiring) => <Input {...wiring} type="url" value={url} onChange={(e) => setUrl(e.target.value)} spellCheck={false} autoComplete="off" placeholder="https://api.openai.com/v1/moderations" className="font-mono" />}
              </Field>
              <Field label={t('Key')} error={errors.moderationSecret} hint={m?.secretHint ? t('Left as it is, the stored one stays.') : undefined}>
                {(wiring) => <Input {...wiring} value={secret} onChange={(e) => setSecret(e.target.value)} spellCheck={false} autoComplete="off" className="font-mono" />}
              </Field>
              <Field label={t('Milliseconds to wait')} error={errors['moderation.timeoutMs']}>
                {(wiring) => <Input {...wiring} inputMode="numeric" value={timeout} onChange={(e) => setTimeoutMs(e.target.value)} />}
              </Field>
              <Checkbox checked={failOpen} onChange={setFailOpen}>
                {t("Let texts pass while it doesn't answer")}
              </Checkbox>
            </div>
          )}
        </div>
        <Trial rules={inputs} allow={exceptions} />
        <div className="lg:col-span-2">
          {fault && <ErrorBar fault={fault} />}
          <DialogActions>
            <Button onClick={onClose}>{t('Cancel')}</Button>
            <Button type="submit" variant="primary" busy={create.busy || update.busy}>
              {preset ? t('Save guardrail') : t('Create guardrail')}
            </Button>
          </DialogActions>
        </div>
      </form>
    </Dialog>
  )
}

type RowProps = { at: number; rule: Draft; errors: Record<string, string>; onChange: (to: Partial<Draft>) => void; onRemove: () => void }

function RuleRow({ at, rule: r, errors, onChange, onRemove }: RowProps) {
  const of = (field: string) => errors[`rules.${at}.${field}`]
  const wrong = ['name', 'detector', 'action', 'direction', 'pattern'].map(of).find(Boolean) ?? Object.entries(errors).find(([path]) => path.startsWith(`rules.${at}.words`))?.[1]
  const nth = { n: at + 1 }
  return (
    <div className="rounded-md border border-line p-2.5">
      <div className="grid grid-cols-[1fr_auto] gap-2 sm:grid-cols-[minmax(0,1.3fr)_minmax(0,1.3fr)_7rem_8rem_auto]">
        <Input aria-label={t('Name of rule {{n}}', nth)} aria-invalid={of('name') ? true : undefined} value={r.name} maxLength={80} placeholder={t('Name')} onChange={(e) => onChange({ name: e.target.value })} autoComplete="off" className="max-sm:col-span-1" />
        <Button variant="ghost" size="icon" aria-label={t('Remove rule {{n}}', nth)} onClick={onRemove} className="sm:order-last">
          <Trash2 aria-hidden />
        </Button>
        <Select aria-label={t('What rule {{n}} looks for', nth)} value={r.detector} onChange={(detector) => onChange({ detector, name: r.name === '' || r.name === detectorName(r.detector) ? detectorName(detector) : r.name })} options={detectors} className="max-sm:col-span-2" />
        <div className="contents max-sm:col-span-2 max-sm:grid max-sm:grid-cols-2 max-sm:gap-2">
          <Select aria-label={t('What rule {{n}} does', nth)} value={r.action} onChange={(action) => onChange({ action })} options={actions} />
          <Select aria-label={t('Which way rule {{n}} looks', nth)} value={r.direction} onChange={(direction) => onChange({ direction })} options={directions} />
        </div>
      </div>
      {r.detector === 'REGEX' && <Input aria-label={t('Pattern of rule {{n}}', nth)} aria-invalid={of('pattern') ? true : undefined} value={r.pattern} maxLength={1000} onChange={(e) => onChange({ pattern: e.target.value })} spellCheck={false} placeholder={t('PRJ-[0-9]{4}')} className="mt-2 font-mono" />}
      {r.detector === 'WORDS' && <Textarea aria-label={t('Words of rule {{n}}', nth)} value={r.words} onChange={(e) => onChange({ words: e.target.value })} rows={2} placeholder={t('One word or phrase a line')} className="mt-2 min-h-14" />}
      {wrong && (
        <p role="alert" className="mt-1.5 text-xs text-bad">
          {wrong}
        </p>
      )}
    </div>
  )
}
