import { Pencil, X } from 'lucide-react'
import { type FormEvent, useRef, useState } from 'react'
import { useClient } from 'urql'
import { byField, toFault } from '@/graphql/fault'
import { type BudgetPartsFragment, BudgetSetDocument } from '@/graphql/generated/graphql'
import { Button } from '@/kit/button'
import { Input } from '@/kit/field'
import { Beside } from '@/kit/beside'
import { toast } from '@/kit/toast'
import { money, moneyWords, parseAmount, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Plan } from './plan'
import { type Refusal, usePreview } from './preview'

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
      className="group/limit relative -mx-1 inline-flex min-h-6 items-center gap-1 rounded-sm px-1 text-muted underline decoration-line-strong decoration-dotted underline-offset-4 hover:bg-hover hover:text-fg"
    >
      {budget ? text : t('Set a limit')}
      <Pencil aria-hidden className="absolute start-full top-1/2 z-10 size-4 -translate-y-1/2 rounded-sm bg-hover p-0.5 opacity-0 group-hover/limit:opacity-100" />
    </button>
  )
}

function LimitForm({ scope, budget, unit, onDone }: Omit<Props, 'editing' | 'onEdit' | 'allowed'> & { onDone: () => void }) {
  const client = useClient()
  const [text, setText] = useState(budget?.limit ?? '')
  const [version, setVersion] = useState(budget?.version)
  const [refusal, setRefusal] = useState<Refusal>()
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const form = useRef<HTMLFormElement>(null)
  const limit = parseAmount(text)
  const changed = limit !== null && (limit !== budget?.limit || budget.origin === 'SHARE')
  const preview = usePreview(BudgetSetDocument, changed ? { scopeId: scope.id, limit } : null)
  const said = refusal ?? preview.refusal

  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (limit === null) {
      setRefusal({ message: t('Enter an amount such as 1200 or 12.50.') })
      return input.current?.focus()
    }
    setBusy(true)
    const result = await client.mutation(BudgetSetDocument, { input: { scopeId: scope.id, limit, expectedVersion: version } })
    setBusy(false)
    if (result.error) return setRefusal({ message: toFault(result.error).message })
    const { errors } = result.data!.budgetSet
    const first = errors[0]
    if (!first) {
      toast(t('{{name}} may now spend {{limit}}', { name: scope.name, limit: moneyWords(limit, unit) }))
      return onDone()
    }
    setRefusal({ message: byField(errors).limit ?? first.message, available: 'available' in first ? first.available : undefined })
    // Shown is whose value stands now; saving again is then a choice, not an accident.
    if ('currentVersion' in first) setVersion(first.currentVersion)
    input.current?.focus()
  }
  const type = (next: string) => {
    setText(next)
    setRefusal(undefined)
  }

  return (
    <form ref={form} onSubmit={save} className="flex items-center gap-1">
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
        onChange={(e) => type(e.target.value)}
        inputMode="decimal"
        aria-label={t('Limit of {{name}} in {{unit}}', { name: scope.name, unit: unit === 'USD' ? t('US dollars') : t('credits') })}
        aria-invalid={said ? true : undefined}
        aria-describedby={said ? `limit-${scope.id}` : undefined}
        className="num h-7 w-24 px-2"
      />
      <Button type="submit" size="sm" variant="primary" className="h-7" busy={busy}>
        {t('Save')}
      </Button>
      <Button size="icon" variant="ghost" className="size-7" aria-label={t('Cancel')} onClick={onDone}>
        <X aria-hidden />
      </Button>
      {(said || preview.plan || preview.waiting) && (
        <Beside label={t('What would change')} anchor={form}>
          {said ? (
            <div id={`limit-${scope.id}`} role="alert" className="text-bad">
              {said.message}
              {said.available && (
                <Button
                  size="sm"
                  className="mt-2 h-7 w-full"
                  onClick={() => {
                    type(said.available!)
                    input.current?.focus()
                  }}
                >
                  {t('Use {{amount}}', { amount: moneyWords(said.available, unit) })}
                </Button>
              )}
            </div>
          ) : (
            <>
              {budget?.origin === 'SHARE' && <p className="mb-2 text-muted">{t('Overrides its equal share; the others share the rest.')}</p>}
              <Plan preview={preview} unit={unit} but={scope.id} />
            </>
          )}
        </Beside>
      )}
    </form>
  )
}
