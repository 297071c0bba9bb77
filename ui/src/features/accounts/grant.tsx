import { useState } from 'react'
import { BudgetSetDocument, type PoolPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { money, moneyWords, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'

export function Grant({ account, pool, onClose }: { account: { name: string }; pool: PoolPartsFragment; onClose: () => void }) {
  const set = useMutate(BudgetSetDocument)
  const [text, setText] = useState(pool.limit)
  const [error, setError] = useState<string>()
  const save = async (event: React.FormEvent) => {
    event.preventDefault()
    const limit = parseAmount(text)
    if (limit === null) return setError(t('Enter an amount such as 100000.'))
    const payload = await set.run({ input: { scopeId: pool.scope.id, limit, expectedVersion: pool.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} has {{limit}} a cycle now', { name: account.name, limit: moneyWords(limit, 'CREDITS') }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Credits of {{name}}', { name: account.name })} description={t('What its pool starts every cycle with; holds for the current one at once.')}>
      <form onSubmit={save} noValidate className="flex flex-col gap-4">
        <Field label={t('Credits a cycle')} required error={error} hint={t('{{spent}} are spent, {{remaining}} are left.', { spent: money(pool.state.spent, 'CREDITS'), remaining: money(pool.state.remaining, 'CREDITS') })}>
          {(wiring) => <Input {...wiring} autoFocus inputMode="decimal" className="num" value={text} onChange={(e) => setText(e.target.value)} onFocus={(e) => e.target.select()} />}
        </Field>
        {set.fault && <ErrorBar fault={set.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={set.busy}>
            {t('Grant to {{name}}', { name: account.name })}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
