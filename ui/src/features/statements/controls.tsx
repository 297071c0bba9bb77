import { Snowflake } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { BudgetFreezeDocument, BudgetFreezeStateDocument, BudgetRenewDocument, BudgetResumeDocument, type FreezePartsFragment } from '@/graphql/generated/graphql'
import { byField } from '@/graphql/fault'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Field, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { dateTime, moneyWords, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = { budgetId: string; name: string; /** The other actions, before these in one row, and after them. */ children?: ReactNode; more?: ReactNode }

/** What stops a budget, lets it go again and renews it by hand. */
export function BudgetControls({ budgetId, name, children, more }: Props) {
  const { data, fault, retry } = useRead(BudgetFreezeStateDocument, { id: budgetId })
  const [asking, setAsking] = useState<'freeze' | 'resume' | 'renew'>()
  const budget = data?.node && 'freezeReason' in data.node ? (data.node as FreezePartsFragment) : undefined
  const close = () => setAsking(undefined)
  return (
    <div className="flex flex-col gap-3">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {budget?.frozenAt && (
        <div role="status" className="flex gap-3 rounded-md border border-line bg-info-soft px-3 py-2.5">
          <Snowflake aria-hidden className="mt-0.5 size-4 shrink-0 text-info" />
          <div className="min-w-0 grow">
            <p className="font-medium">{t('Frozen: new calls are refused')}</p>
            <p className="break-words">{budget.freezeReason}</p>
            <p className="mt-0.5 text-xs text-muted" title={utc(budget.frozenAt)}>
              {budget.frozenBy ? t('{{name}}, {{when}}', { name: budget.frozenBy, when: dateTime(budget.frozenAt) }) : dateTime(budget.frozenAt)}
            </p>
          </div>
        </div>
      )}
      {budget && some(budget.state.carried) && <p className="text-muted">{t('{{amount}} more in this cycle, carried over from the one before.', { amount: moneyWords(budget.state.carried, budget.state.unit) })}</p>}
      {budget && some(budget.state.overflowSpent) && <p className="text-muted">{t('{{amount}} of it lies in the overflow.', { amount: moneyWords(budget.state.overflowSpent, budget.state.unit) })}</p>}
      <div className="flex flex-wrap items-center gap-1.5 empty:hidden">
        {children}
        {budget && !budget.frozenAt && may(budget, 'budget.freeze') && (
          <Button size="sm" onClick={() => setAsking('freeze')}>
            <Snowflake aria-hidden /> {t('Freeze')}
          </Button>
        )}
        {budget?.frozenAt && may(budget, 'budget.resume') && (
          <Button size="sm" variant="primary" onClick={() => setAsking('resume')}>
            {t('Resume')}
          </Button>
        )}
        {budget?.cycle === 'MANUAL' && may(budget, 'budget.renew') && (
          <Button size="sm" onClick={() => setAsking('renew')}>
            {t('Renew now')}
          </Button>
        )}
        {more}
      </div>
      {asking === 'freeze' && <FreezeBudget budgetId={budgetId} name={name} onClose={close} />}
      {asking === 'resume' && <ResumeBudget budgetId={budgetId} name={name} onClose={close} />}
      {asking === 'renew' && <Renew budgetId={budgetId} name={name} onClose={close} />}
    </div>
  )
}

const some = (amount: string) => /[1-9]/.test(amount)

type DialogProps = { budgetId: string; name: string; onClose: () => void }

export function FreezeBudget({ budgetId, name, onClose }: DialogProps) {
  const freeze = useMutate(BudgetFreezeDocument)
  const [reason, setReason] = useState('')
  const [error, setError] = useState<{ field?: string; other?: string }>({})
  const confirm = async () => {
    const payload = await freeze.run({ input: { budgetId, reason } })
    if (!payload) return
    const first = payload.errors[0]
    if (first) {
      const field = byField(payload.errors).reason
      return setError(field ? { field } : { other: first.message })
    }
    toast(t('The budget of {{name}} is frozen', { name }))
    onClose()
  }
  return (
    <Confirm title={t('Freeze the budget of {{name}}?', { name })} action={t('Freeze')} busy={freeze.busy} fault={freeze.fault} error={error.other} blocked={!reason.trim()} onConfirm={confirm} onClose={onClose}>
      <p>{t('New calls of {{name}} and of everything below are refused within a second. Calls that run now finish and are charged.', { name })}</p>
      <Field label={t('Why')} hint={t('Whoever is refused reads it, and the audit log keeps it.')} error={error.field}>
        {(wiring) => <Textarea {...wiring} autoFocus value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />}
      </Field>
    </Confirm>
  )
}

export function ResumeBudget({ budgetId, name, onClose }: DialogProps) {
  const resume = useMutate(BudgetResumeDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await resume.run({ input: { budgetId } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The budget of {{name}} can be spent again', { name }))
    onClose()
  }
  return (
    <Confirm title={t('Resume the budget of {{name}}?', { name })} action={t('Resume')} danger={false} busy={resume.busy} fault={resume.fault} error={error} onConfirm={confirm} onClose={onClose}>
      <p>{t('New calls are let through again, as far as the limits allow.')}</p>
    </Confirm>
  )
}

function Renew({ budgetId, name, onClose }: DialogProps) {
  const renew = useMutate(BudgetRenewDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await renew.run({ input: { budgetId } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The budget of {{name}} begins anew', { name }))
    onClose()
  }
  return (
    <Confirm title={t('Renew the budget of {{name}} now?', { name })} action={t('Renew now')} danger={false} busy={renew.busy} fault={renew.fault} error={error} onConfirm={confirm} onClose={onClose}>
      <p>{t('The current cycle ends and gets its statement; the next one begins with the whole limit, for all budgets that go by this one.')}</p>
    </Confirm>
  )
}
