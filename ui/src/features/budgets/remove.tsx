import { useState } from 'react'
import { BudgetRemoveDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Confirm } from '@/kit/confirm'
import { toast } from '@/kit/toast'
import { moneyWords, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { removeWords } from './actions'
import { Plan } from './plan'
import { usePreview } from './preview'
import { isRoot } from './kinds'

type Props = { scope: { name: string; kind: ScopeKind }; budget: { id: string; limit: string }; overrides: boolean; unit: Unit; onClose: () => void; onRemoved?: () => void }

/** Takes a limit away: what it limited falls back to its share, or to the budgets above. */
export function RemoveBudget({ scope, budget, overrides, unit, onClose, onRemoved }: Props) {
  const input = { budgetId: budget.id }
  const preview = usePreview(BudgetRemoveDocument, input)
  const { run, busy, fault } = useMutate(BudgetRemoveDocument)
  const [error, setError] = useState<string>()
  const remove = async () => {
    const payload = await run({ input })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(overrides ? t('{{name}} has its equal share again', { name: scope.name }) : t('{{name}} has no limit of its own now', { name: scope.name }))
    onRemoved?.()
    onClose()
  }
  return (
    <Confirm
      title={overrides ? t('Remove the override of {{name}}?', { name: scope.name }) : isRoot(scope) ? t('Remove the pool of {{name}}?', { name: scope.name }) : t('Remove the limit of {{name}}?', { name: scope.name })}
      action={removeWords(scope, overrides)}
      keep={t('Keep it')}
      danger={!overrides}
      blocked={Boolean(preview.refusal)}
      busy={busy}
      error={error ?? preview.refusal?.message}
      fault={fault}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      <p>
        {scope.kind === 'COPILOT'
          ? t('Copilot’s calls are then refused, save where a limit stands below: those go on until it is used up. To stop them all, freeze the pool instead. What was spent stays on the books.')
          : overrides
          ? t('{{name}} then gets the same share as the others. What was spent stays on the books.', { name: scope.name })
          : t('{{name}} may then spend whatever the budgets above have left, instead of {{limit}} a cycle. What was spent stays on the books.', { name: scope.name, limit: moneyWords(budget.limit, unit) })}
      </p>
      <div className="rounded-lg bg-hover/60 px-3 py-2 text-sm">
        <Plan preview={preview} unit={unit} />
      </div>
    </Confirm>
  )
}
