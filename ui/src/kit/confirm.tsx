import { type ReactNode, useState } from 'react'
import type { Fault } from '@/graphql/fault'
import { t } from '@/lib/i18n'
import { Button } from './button'
import { Dialog, DialogActions } from './dialog'
import { Field, Input } from './field'
import { ErrorBar } from './state'

type Props = {
  title: ReactNode
  description?: ReactNode
  /** What will happen, in words. */
  children?: ReactNode
  /** The verb on the button. */
  action: string
  keep?: string
  /** What can't be taken back: the name is typed first. */
  type?: string
  danger?: boolean
  /** Not to be confirmed (yet). */
  blocked?: boolean
  busy: boolean
  error?: string
  fault?: Fault
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something costly: its effects first, the verb on the button. */
export function Confirm({ title, description, children, action, keep = t('Cancel'), type, danger = true, blocked, busy, error, fault, onConfirm, onClose }: Props) {
  const [typed, setTyped] = useState('')
  const ready = !blocked && (type === undefined || typed.trim() === type)
  return (
    <Dialog open onClose={onClose} title={title} description={description}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          if (ready && !busy) onConfirm()
        }}
        className="flex flex-col gap-4"
      >
        {children}
        {type !== undefined && (
          <Field label={t('Type “{{name}}” to confirm', { name: type })}>
            {(wiring) => <Input {...wiring} value={typed} onChange={(e) => setTyped(e.target.value)} autoComplete="off" spellCheck={false} />}
          </Field>
        )}
        {error && (
          <p role="alert" className="text-bad">
            {error}
          </p>
        )}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{keep}</Button>
          <Button type="submit" variant={danger ? 'danger' : 'primary'} busy={busy} disabled={!ready}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
