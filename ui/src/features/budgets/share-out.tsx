import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { BudgetSetDocument, type Distribution, type ScopeRowFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Plan } from './plan'
import { usePreview } from './preview'

type Props = { scope: ScopeRowFragment; unit: Unit; onClose: () => void }

const heirs: Record<string, string> = { CONSOLE: t('organization'), COPILOT: t('organization'), ORGANIZATION: t('team'), TEAM: t('user') }

/** How a budget reaches what lies below it: as a pool or in equal shares, with a reserve. */
export function ShareOut({ scope, unit, onClose }: Props) {
  const budget = scope.budget!
  const heir = heirs[scope.kind] ?? t('user')
  const [distribution, setDistribution] = useState<Distribution>(budget.distribution)
  const [text, setText] = useState(budget.reserve)
  const [strict, setStrict] = useState(budget.strict)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const { run, busy, fault } = useMutate(BudgetSetDocument)
  const reserve = parseAmount(text || '0')
  const mayBeStrict = scope.kind === 'CONSOLE' && may(scope, 'budget.set')
  const input = reserve === null ? null : { scopeId: scope.id, distribution, reserve, ...(mayBeStrict && strict !== budget.strict ? { strict } : {}) }
  const preview = usePreview(BudgetSetDocument, input)
  const wrong = reserve === null ? t('Enter an amount such as 1200 or 12.50.') : errors.reserve

  const save = async () => {
    if (!input) return
    const payload = await run({ input: { ...input, expectedVersion: budget.version } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(distribution === 'EQUAL' ? t('{{name}} gives equal shares', { name: scope.name }) : t('{{name}} is a pool', { name: scope.name }))
    onClose()
  }
  const refused = preview.refusal?.message ?? errors['']

  return (
    <Dialog open onClose={onClose} title={t('Share out the budget of {{name}}', { name: scope.name })}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          void save()
        }}
        className="flex flex-col gap-4"
      >
        <RadioCards
          label={t('How it reaches those below')}
          value={distribution}
          onChange={setDistribution}
          options={[
            { value: 'POOL', label: t('One pool'), note: t('Everybody draws on it until it is used up. Limits below are optional.') },
            { value: 'EQUAL', label: t('Equal shares'), note: t('Each {{heir}} without a limit of its own gets the same part of what is left. Joining and leaving shares it anew.', { heir }) },
          ]}
        />
        <Field label={unit === 'USD' ? t('Reserve, $') : t('Reserve in credits')} hint={t('Kept back from those below; temporary increases may draw on it.')} error={wrong}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" autoComplete="off" className="num" value={text} onChange={(e) => setText(e.target.value)} />}
        </Field>
        {mayBeStrict && (
          <div>
            <Checkbox checked={strict} onChange={setStrict}>
              {t('Strict: nobody gives more than they have')}
            </Checkbox>
            <p className="ms-7 text-xs text-muted">{t('Otherwise limits below may add up to more, which is marked as overcommitted.')}</p>
          </div>
        )}
        <div className="rounded-lg bg-hover/60 px-3 py-2">
          {refused ? (
            <p role="alert" className="text-bad">
              {refused}
            </p>
          ) : (
            <Plan preview={preview} unit={unit} but={scope.id} rows={8} empty={t('Nobody’s limit changes.')} />
          )}
        </div>
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={Boolean(preview.refusal)}>
            {distribution === 'EQUAL' ? t('Share equally') : t('Save')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
