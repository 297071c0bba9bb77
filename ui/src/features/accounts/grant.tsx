import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { BudgetSetDocument, type PoolPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { money, moneyWords, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { AccountZone, Plan, usePreview } from '@/features/budgets'

type Props = { account: { name: string; timeZone: string }; root: PoolPartsFragment; onClose: () => void }

/** The credits of an account's every cycle: its first ones, or others than it has. */
export function Grant({ account, root, onClose }: Props) {
  const pool = root.budget
  const set = useMutate(BudgetSetDocument)
  const [text, setText] = useState(pool?.limit ?? '')
  const [version, setVersion] = useState(pool?.version)
  const [touched, setTouched] = useState(false)
  const [error, setError] = useState<string>()
  const limit = parseAmount(text)
  const input = limit !== null && limit !== pool?.limit ? { scopeId: root.id, limit } : null
  const preview = usePreview(BudgetSetDocument, input)
  const wrong = error ?? preview.refusal?.message ?? (touched && limit === null ? t('Enter an amount such as 100000.') : undefined)
  const save = async (event: React.FormEvent) => {
    event.preventDefault()
    setTouched(true)
    if (limit === null) return
    if (!input) return onClose()
    const payload = await set.run({ input: { ...input, expectedVersion: version } })
    if (!payload) return
    const first = payload.errors[0]
    if (first) {
      // Said is that somebody was faster; saving again is then a choice, not an accident.
      if ('currentVersion' in first) setVersion(first.currentVersion)
      return setError(byField(payload.errors).limit ?? first.message)
    }
    toast(t('{{name}} has {{limit}} a cycle now', { name: account.name, limit: moneyWords(limit, 'CREDITS') }))
    onClose()
  }
  return (
    <AccountZone value={account.timeZone}>
      <Dialog
        open
        onClose={onClose}
        title={pool ? t('Credits of {{name}}', { name: account.name }) : t('First credits of {{name}}', { name: account.name })}
        description={pool ? t('What its pool starts every cycle with; holds for the current one at once.') : t('Makes its Copilot pool. Cycles begin on the 1st of every month; settings of the pool can change that.')}
      >
        <form onSubmit={save} noValidate className="flex flex-col gap-4">
          <Field
            label={t('Credits a cycle')}
            required
            error={wrong}
            hint={pool ? t('{{spent}} are spent, {{remaining}} are left.', { spent: money(pool.state.spent, 'CREDITS'), remaining: money(pool.state.remaining, 'CREDITS') }) : t('The whole amount is there at once, for the rest of this cycle.')}
          >
            {(wiring) => (
              <Input
                {...wiring}
                autoFocus
                inputMode="decimal"
                autoComplete="off"
                className="num"
                value={text}
                onChange={(e) => {
                  setText(e.target.value)
                  setError(undefined)
                }}
                onFocus={(e) => e.target.select()}
              />
            )}
          </Field>
          {input && !preview.refusal && (
            <div className="rounded-lg bg-hover/60 px-3 py-2">
              <Plan preview={preview} unit="CREDITS" but={root.id} />
            </div>
          )}
          {set.fault && <ErrorBar fault={set.fault} />}
          <DialogActions>
            <Button onClick={onClose}>{t('Cancel')}</Button>
            <Button type="submit" variant="primary" busy={set.busy} disabled={Boolean(preview.refusal)}>
              {t('Grant to {{name}}', { name: account.name })}
            </Button>
          </DialogActions>
        </form>
      </Dialog>
    </AccountZone>
  )
}
