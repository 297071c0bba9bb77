import { type FormEvent, useState } from 'react'
import { RequestRulesDocument, type RequestRulesQuery, RequestRuleSetDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import type { Item } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Checkbox } from '@/kit/toggle'
import { toast } from '@/kit/toast'
import { parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { type Plane, unitOf } from '@/lib/plane'
import { ScopePicker, useItem } from '@/features/access'

const capabilities = [
  { value: 'FAST', label: t('Fast') },
  { value: 'BALANCED', label: t('Balanced') },
  { value: 'SMART', label: t('Smart') },
  { value: 'THINKING', label: t('Thinking') },
]

type Rule = NonNullable<RequestRulesQuery['requestRules']>[number]

type Props = { plane: Plane; /** The place that is shown first. */ scopeId: string; onClose: () => void }

/** What is given without a person's decision, place by place. */
export function RulesDialog({ plane, scopeId: first, onClose }: Props) {
  const [chosen, setChosen] = useState<Item>()
  const scopeId = chosen?.value ?? first
  const place = useItem(scopeId)
  const { data, loading, fault, retry } = useRead(RequestRulesDocument, { scopeId })
  const rules = data?.requestRules
  return (
    <Dialog open onClose={onClose} title={t('Approve by itself')} description={t('What is asked there and below is given at once, up to a limit, out of what you may give. Never to those who administer the place.')}>
      <div className="flex flex-col gap-4">
        <Field label={t('Where')}>{(wiring) => <ScopePicker {...wiring} plane={plane} action="request.decide" value={place} onChange={setChosen} />}</Field>
        {fault && <ErrorBar fault={fault} retry={retry} />}
        {loading && <SkeletonRows rows={3} />}
        {data && !rules && !fault && <Empty title={t('You decide on nothing there')} />}
        {rules && <Form key={scopeId + rules.map((r) => r.kind + r.version).join()} plane={plane} scopeId={scopeId} rules={rules} onClose={onClose} />}
      </div>
    </Dialog>
  )
}

function Form({ plane, scopeId, rules, onClose }: { plane: Plane; scopeId: string; rules: readonly Rule[]; onClose: () => void }) {
  const set = useMutate(RequestRuleSetDocument)
  const budget = rules.find((r) => r.kind === 'BUDGET')
  const access = rules.find((r) => r.kind === 'ACCESS')
  const [most, setMost] = useState(budget?.most ?? '')
  const [classes, setClasses] = useState<readonly string[]>(access?.capabilities ?? [])
  const [error, setError] = useState<string>()
  const save = async (event: FormEvent) => {
    event.preventDefault()
    setError(undefined)
    const amount = most.trim() ? parseAmount(most) : '0'
    if (amount === null) return setError(t('Enter an amount such as 1200 or 12.50.'))
    const inputs = [
      ...(Number(amount) === Number(budget?.most ?? 0) ? [] : [{ scopeId, kind: 'BUDGET' as const, most: amount, expectedVersion: budget?.version ?? 0 }]),
      ...(classes.toSorted().join() === (access?.capabilities ?? []).toSorted().join() ? [] : [{ scopeId, kind: 'ACCESS' as const, capabilities: [...classes], expectedVersion: access?.version ?? 0 }]),
    ]
    for (const input of inputs) {
      const payload = await set.run({ input })
      if (!payload) return
      if (payload.errors[0]) return setError(payload.errors[0].message)
    }
    toast(t('The rules are saved'))
    onClose()
  }
  return (
    <form noValidate onSubmit={save} className="flex flex-col gap-4">
      <Field label={unitOf(plane) === 'USD' ? t('More budget, up to so many $ in a cycle') : t('More budget, up to so many credits in a cycle')} hint={t('For each place that asks. Empty: people decide.')}>
        {(wiring) => <Input {...wiring} inputMode="decimal" autoComplete="off" value={most} onChange={(e) => setMost(e.target.value)} className="num w-44" />}
      </Field>
      {plane === 'COPILOT' && (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1.5 text-sm font-medium">{t('Access to models that are')}</legend>
          {capabilities.map(({ value, label }) => (
            <Checkbox key={value} checked={classes.includes(value)} onChange={(on) => setClasses(on ? [...classes, value] : classes.filter((c) => c !== value))}>
              {label}
            </Checkbox>
          ))}
        </fieldset>
      )}
      {error && (
        <p role="alert" className="text-bad">
          {error}
        </p>
      )}
      {set.fault && <ErrorBar fault={set.fault} />}
      <DialogActions>
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button type="submit" variant="primary" busy={set.busy}>
          {t('Save')}
        </Button>
      </DialogActions>
    </form>
  )
}
