import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { BudgetSetDocument, type BudgetSetInput, type CycleRule, type ScopeRowFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Plan } from './plan'
import { usePreview } from './preview'
import { isRoot } from './kinds'
import { useAccountZone } from './zone'

type Props = { scope: ScopeRowFragment; unit: Unit; onClose: () => void }

const cycles: readonly { value: CycleRule; label: string }[] = [
  { value: 'MONTHLY', label: t('Every month') },
  { value: 'QUARTERLY', label: t('Every three months') },
  { value: 'YEARLY', label: t('Every year') },
  { value: 'MANUAL', label: t('By hand') },
]

/** "80%, 95 and 100" as numbers; null where something in it is none. The server knows which are allowed. */
export const parseThresholds = (text: string): number[] | null => {
  const parts = text.split(/[\s,;%]+/).filter(Boolean)
  return parts.every((p) => /^\d{1,3}$/.test(p)) ? parts.map(Number) : null
}

/** A day that every month has; null where the text is none. */
export const parseDay = (text: string): number | null => {
  const day = /^\s*(\d{1,2})\s*$/.test(text) ? Number(text) : 0
  return day >= 1 && day <= 28 ? day : null
}

const dayHint: Record<CycleRule, string> = {
  MONTHLY: t('Of every month, 1 to 28.'),
  QUARTERLY: t('Of January, April, July and October; 1 to 28.'),
  YEARLY: t('Of January, 1 to 28.'),
  MANUAL: '',
}

const amountWanted = t('Enter an amount such as 1200 or 12.50.')

/** When a budget renews, what it allows beyond its limit, what it takes along, and when admins are told. */
export function BudgetSettings({ scope, unit, onClose }: Props) {
  const budget = scope.budget!
  const [cycle, setCycle] = useState(budget.cycle)
  const [dayText, setDayText] = useState(String(budget.cycleDay ?? 1))
  const [overflow, setOverflow] = useState(budget.overflow)
  const [rollover, setRollover] = useState(budget.rolloverCap)
  const [told, setTold] = useState(budget.thresholds.join(', '))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const { run, busy, fault } = useMutate(BudgetSetDocument)
  const amounts = { overflow: parseAmount(overflow || '0'), rolloverCap: parseAmount(rollover || '0') }
  const thresholds = parseThresholds(told)
  // Whoever administers the scope itself chooses when to be told; the rest is for those above.
  const sets = may(scope, 'budget.set')
  const tells = scope.kind === 'MEMBER' || scope.kind === 'KEY' || scope.kind === 'AGENT' ? sets : may(scope, 'budget.distribute')
  const root = isRoot(scope)
  // Keys and agents may have a cycle of their own.
  const leaf = scope.kind === 'KEY' || scope.kind === 'AGENT'
  const zone = useAccountZone()

  const changes: Omit<BudgetSetInput, 'scopeId'> = {}
  const day = parseDay(dayText)
  const dayMoves = cycle !== 'MANUAL' && day !== null && day !== budget.cycleDay
  // Its day needs a cycle of its own beside it.
  if (cycle !== budget.cycle || (dayMoves && leaf)) changes.cycle = cycle
  if (dayMoves) changes.cycleDay = day
  if (amounts.overflow && amounts.overflow !== budget.overflow) changes.overflow = amounts.overflow
  if (amounts.rolloverCap && amounts.rolloverCap !== budget.rolloverCap) changes.rolloverCap = amounts.rolloverCap
  if (thresholds && thresholds.join() !== budget.thresholds.join()) changes.thresholds = thresholds
  const valid = (cycle === 'MANUAL' || day !== null) && amounts.overflow !== null && amounts.rolloverCap !== null && thresholds !== null
  const input = valid && Object.keys(changes).length > 0 ? { scopeId: scope.id, ...changes } : null
  const preview = usePreview(BudgetSetDocument, input)
  const refused = preview.refusal?.message ?? errors['']

  const save = async () => {
    if (!valid) return
    if (!input) return onClose()
    const payload = await run({ input: { ...input, expectedVersion: budget.version } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('The settings of {{name}} are saved', { name: scope.name }))
    onClose()
  }

  return (
    <Dialog open onClose={onClose} title={t('Budget settings of {{name}}', { name: scope.name })}>
      <form
        noValidate
        onChange={() => setErrors({})}
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
        className="flex flex-col gap-4"
      >
        {sets && (root || leaf) && (
          <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,1fr)] items-start gap-3 max-sm:grid-cols-1">
            <Field label={t('Renews')} hint={root ? t('Every budget below renews with it. The current cycle keeps what is spent.') : t('The current cycle keeps what is spent.')} error={errors.cycle}>
              {(wiring) => <Select {...wiring} value={cycle} onChange={setCycle} options={cycles} />}
            </Field>
            {cycle !== 'MANUAL' && (
              <Field label={t('On day')} hint={`${dayHint[cycle]} ${t('At midnight in {{zone}}.', { zone })}`} error={day === null ? t('Enter a day from 1 to 28: those that every month has.') : errors.cycleDay}>
                {(wiring) => <Input {...wiring} inputMode="numeric" autoComplete="off" className="num" value={dayText} onChange={(e) => setDayText(e.target.value)} />}
              </Field>
            )}
          </div>
        )}
        {sets && (
          <div className="grid grid-cols-2 items-start gap-3 max-sm:grid-cols-1">
            <Field label={unit === 'USD' ? t('Overflow, $') : t('Overflow in credits')} hint={t('May be spent beyond the limit. Zero is a hard stop.')} error={amounts.overflow === null ? amountWanted : errors.overflow}>
              {(wiring) => <Input {...wiring} inputMode="decimal" autoComplete="off" className="num" value={overflow} onChange={(e) => setOverflow(e.target.value)} />}
            </Field>
            <Field label={unit === 'USD' ? t('Carried over at most, $') : t('Carried over at most, credits')} hint={t('Of what is left when it renews. Zero carries nothing.')} error={amounts.rolloverCap === null ? amountWanted : errors.rolloverCap}>
              {(wiring) => <Input {...wiring} inputMode="decimal" autoComplete="off" className="num" value={rollover} onChange={(e) => setRollover(e.target.value)} />}
            </Field>
          </div>
        )}
        {tells && (
          <Field label={t('Tell admins at, % of the limit')} hint={t('Up to ten, lowest first. Empty: 80, 95 and 100.')} error={thresholds === null ? t('Enter percentages such as 80, 95, 100.') : errors.thresholds}>
            {(wiring) => <Input {...wiring} inputMode="numeric" autoComplete="off" className="num" value={told} onChange={(e) => setTold(e.target.value)} />}
          </Field>
        )}
        {input && (
          <div className="rounded-lg bg-hover/60 px-3 py-2">
            {refused ? (
              <p role="alert" className="text-bad">
                {refused}
              </p>
            ) : (
              <Plan preview={preview} unit={unit} but={scope.id} empty={t('Nobody’s limit changes.')} />
            )}
          </div>
        )}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={Boolean(preview.refusal)}>
            {t('Save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
