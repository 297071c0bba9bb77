import { Lock, ShieldPlus } from 'lucide-react'
import { useState } from 'react'
import { type AgentPartsFragment, GuardrailCreateDocument, GuardrailStartersDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Field } from '@/kit/field'
import { ManyPicker } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import type { Draft } from './draft'

type Props = { agent: AgentPartsFragment; draft: Draft; set: (patch: Partial<Draft>) => void; disabled: boolean; error?: string }

/** What looks at everything that goes in and comes out: what the place brings, and what the agent adds. */
export function Guardrails({ agent, draft, set, disabled, error }: Props) {
  const held = agent.guardrails ?? []
  const above = new Set(held.map((g) => g.id))
  const choices = agent.guardrailChoices ?? []
  // One that is switched off, or gone, stays visible until somebody takes it off.
  const lost = draft.guardrailPresetIds.filter((id) => !choices.some((c) => c.id === id))
  const items = [...choices.map((c) => ({ value: c.id, label: c.name, note: above.has(c.id) ? t('holds here already') : undefined })), ...lost.map((id) => ({ value: id, label: t('Switched off, or gone') }))]
  return (
    <Card>
      <CardHead title={t('Guardrails')} note={t('Look at all that goes in and comes out. A published agent has at least one.')} />
      <div id="agent-guardrails" className="flex flex-col gap-4 px-4 pb-4">
        {held.length > 0 && (
          <div>
            <p className="text-sm font-medium">{t('From its place')}</p>
            <p className="text-xs text-muted">{t('These hold as well, and are taken off where they are assigned.')}</p>
            <ul className="mt-2 flex flex-wrap gap-1.5">
              {held.map((g) => (
                <li key={g.id + (g.fromName ?? '')} title={g.description || undefined} className="flex min-h-7 items-center gap-1.5 rounded-md border border-line bg-bg px-2 py-1 text-xs">
                  <Lock aria-hidden className="size-3 shrink-0 text-muted" />
                  <span className="font-medium">{g.name}</span>
                  <span className="text-muted">{t('from {{place}}', { place: g.fromName ?? '' })}</span>
                </li>
              ))}
            </ul>
          </div>
        )}
        {disabled ? (
          <p className="text-sm text-muted">{draft.guardrailPresetIds.length === 0 ? t('It adds none of its own.') : items.filter((i) => draft.guardrailPresetIds.includes(i.value)).map((i) => i.label).join(', ')}</p>
        ) : choices.length === 0 && lost.length === 0 ? (
          <Starters onMade={(id) => set({ guardrailPresetIds: [...draft.guardrailPresetIds, id] })} />
        ) : (
          <Field label={t('Guardrails of its own')} error={error} hint={held.length > 0 ? t('Besides those of its place, wherever the agent is used.') : t('They hold wherever the agent is used.')}>
            {(wiring) => <ManyPicker {...wiring} items={items} value={draft.guardrailPresetIds} onChange={(guardrailPresetIds) => set({ guardrailPresetIds })} placeholder={held.length > 0 ? t('None') : t('Choose one')} />}
          </Field>
        )}
      </div>
    </Card>
  )
}

/** The way out of having none: one press chooses a guardrail, or makes the first one of a template. */
export function ChooseGuardrail({ agent, onChoose }: { agent: AgentPartsFragment; onChoose: (id: string) => void }) {
  const choices = agent.guardrailChoices ?? []
  if (choices.length === 0) return <Starters onMade={onChoose} />
  return (
    <div className="flex flex-wrap gap-1.5">
      {choices.slice(0, 4).map((c) => (
        <Button key={c.id} size="sm" onClick={() => onChoose(c.id)} title={c.description || undefined}>
          <ShieldPlus aria-hidden /> {t('Add {{name}}', { name: c.name })}
        </Button>
      ))}
      {choices.length > 4 && (
        <Button size="sm" variant="ghost" onClick={() => document.querySelector<HTMLElement>('#agent-guardrails input')?.focus()}>
          {t('All {{count}}', { count: choices.length })}
        </Button>
      )}
    </div>
  )
}

/** Copilot has no guardrail yet: its admins make one of a template, all others ask them to. */
function Starters({ onMade }: { onMade: (id: string) => void }) {
  const { data, loading } = useRead(GuardrailStartersDocument, {})
  const { run, busy, fault } = useMutate(GuardrailCreateDocument, { once: true })
  const [refusal, setRefusal] = useState<string>()
  const root = data?.copilot
  if (loading) return null
  if (!data || !root || !may(root, 'guardrail.manage')) return <p className="text-sm text-muted">{t('Copilot has no guardrails yet. Ask an admin of Copilot to make one; you can choose it here then.')}</p>
  const make = async (template: (typeof data.guardrailTemplates)[number]) => {
    setRefusal(undefined)
    const rules = template.rules.map(({ name, detector, action, direction, pattern, words }) => ({ name, detector, action, direction, pattern, words: words.length > 0 ? words : undefined }))
    const payload = await run({ input: { scopeId: root.id, name: template.name, description: template.description, rules } })
    if (payload?.errors[0]) setRefusal(payload.errors[0].message)
    else if (payload?.preset) onMade(payload.preset.id)
  }
  return (
    <div className="flex flex-col gap-2">
      <p className="text-sm text-muted">{t('Copilot has no guardrails yet. Begin with one of these; you can change it under Guardrails.')}</p>
      <div className="flex flex-wrap gap-1.5">
        {data.guardrailTemplates.map((template) => (
          <Button key={template.id} size="sm" busy={busy} onClick={() => void make(template)} title={template.description}>
            <ShieldPlus aria-hidden /> {t('Add {{name}}', { name: template.name })}
          </Button>
        ))}
      </div>
      {(fault || refusal) && <ErrorBar fault={fault ?? { code: 'REFUSED', message: refusal! }} />}
    </div>
  )
}
