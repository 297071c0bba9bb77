import { Pencil } from 'lucide-react'
import { type FormEvent, useRef, useState } from 'react'
import { useClient } from 'urql'
import { byField, toFault } from '@/graphql/fault'
import { type BudgetPartsFragment, BudgetSetDocument } from '@/graphql/generated/graphql'
import { Button } from '@/kit/button'
import { Input } from '@/kit/field'
import { toast } from '@/kit/toast'
import { money, moneyWords, parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = {
  scope: { id: string; name: string }
  budget: BudgetPartsFragment | null | undefined
  unit: Unit
  editing: boolean
  onEdit: (on: boolean) => void
  allowed: boolean
}

/** The limit; where the viewer may change it, a button that turns into a field with Save. */
export function Limit({ scope, budget, unit, editing, onEdit, allowed }: Props) {
  const text = budget ? money(budget.limit, unit) : t('No limit of its own')
  if (editing) return <LimitForm scope={scope} budget={budget} unit={unit} onDone={() => onEdit(false)} />
  if (!allowed) return <span className="text-muted">{text}</span>
  return (
    <button
      type="button"
      onClick={() => onEdit(true)}
      aria-label={budget ? t('Change the limit of {{name}}, {{limit}}', { name: scope.name, limit: moneyWords(budget.limit, unit) }) : t('Set a limit for {{name}}', { name: scope.name })}
      className="group/limit -mx-1 inline-flex min-h-6 items-center gap-1 rounded-sm px-1 text-muted underline decoration-line-strong decoration-dotted underline-offset-4 hover:bg-hover hover:text-fg"
    >
      {budget ? text : t('Set a limit')}
      <Pencil aria-hidden className="size-3 opacity-0 group-hover/limit:opacity-100" />
    </button>
  )
}

function LimitForm({ scope, budget, unit, onDone }: Omit<Props, 'editing' | 'onEdit' | 'allowed'> & { onDone: () => void }) {
  const client = useClient()
  const [text, setText] = useState(budget?.limit ?? '')
  const [version, setVersion] = useState(budget?.version)
  const [error, setError] = useState<string>()
  const [available, setAvailable] = useState<string>()
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)

  const save = async (event: FormEvent) => {
    event.preventDefault()
    setAvailable(undefined)
    const limit = parseAmount(text)
    if (limit === null) {
      setError(t('Enter an amount such as 1200 or 12.50.'))
      return input.current?.focus()
    }
    setBusy(true)
    const result = await client.mutation(BudgetSetDocument, { input: { scopeId: scope.id, limit, expectedVersion: version } })
    setBusy(false)
    if (result.error) return setError(toFault(result.error).message)
    const { errors } = result.data!.budgetSet
    const first = errors[0]
    if (!first) {
      toast(t('{{name}} may now spend {{limit}}', { name: scope.name, limit: moneyWords(limit, unit) }))
      return onDone()
    }
    setError(byField(errors).limit ?? first.message)
    if ('available' in first) setAvailable(first.available)
    // Shown is whose value stands now; saving again is then a choice, not an accident.
    if ('currentVersion' in first) setVersion(first.currentVersion)
    input.current?.focus()
  }

  return (
    <form onSubmit={save} className="relative flex items-center gap-1">
      <Input
        ref={input}
        autoFocus
        onFocus={(e) => e.target.select()}
        onKeyDown={(e) => {
          if (e.key !== 'Escape') return
          // Ends the edit, not the panel that it may stand in.
          e.stopPropagation()
          onDone()
        }}
        value={text}
        onChange={(e) => setText(e.target.value)}
        inputMode="decimal"
        aria-label={t('Limit of {{name}} in {{unit}}', { name: scope.name, unit: unit === 'USD' ? t('US dollars') : t('credits') })}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `limit-${scope.id}` : undefined}
        className="num h-7 w-24 px-2"
      />
      <Button type="submit" size="sm" variant="primary" className="h-7" busy={busy}>
        {t('Save')}
      </Button>
      <Button size="sm" variant="ghost" className="h-7" onClick={onDone}>
        {t('Cancel')}
      </Button>
      {error && (
        <div id={`limit-${scope.id}`} role="alert" className="absolute start-0 top-8 z-20 w-72 rounded-md border border-line bg-raised p-2.5 text-xs whitespace-normal text-bad shadow-lg">
          {error}
          {available && (
            <Button
              size="sm"
              className="mt-2 h-7 w-full"
              onClick={() => {
                setText(available)
                setError(undefined)
                input.current?.focus()
              }}
            >
              {t('Use {{amount}}', { amount: moneyWords(available, unit) })}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}
