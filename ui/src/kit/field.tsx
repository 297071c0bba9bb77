import type { ComponentProps, ReactNode } from 'react'
import { useId } from 'react'
import { cx } from './cx'

export const inputClass =
  'h-9 w-full rounded-md border border-line-strong/60 bg-surface px-3 text-sm text-fg shadow-xs transition-colors hover:border-line-strong focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent aria-invalid:border-bad disabled:opacity-60'

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input className={cx(inputClass, className)} {...props} />
}

export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea className={cx(inputClass, 'h-auto min-h-20 resize-y py-2', className)} {...props} />
}

type Wiring = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true; 'aria-required'?: true }

type Props = {
  label: ReactNode
  hint?: ReactNode
  error?: string
  required?: boolean
  className?: string
  /** Gets what ties the control to its label, hint and error. */
  children: (wiring: Wiring) => ReactNode
}

export function Field({ label, hint, error, required, className, children }: Props) {
  const id = useId()
  const note = error || hint ? `${id}-note` : undefined
  return (
    <div className={cx('flex flex-col gap-1.5', className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {required && (
          <span aria-hidden className="text-bad">
            {' '}
            *
          </span>
        )}
      </label>
      {children({
        id,
        'aria-describedby': note,
        'aria-invalid': error ? true : undefined,
        'aria-required': required || undefined,
      })}
      {error ? (
        <p id={note} role="alert" className="text-xs text-bad">
          {error}
        </p>
      ) : (
        hint && (
          <p id={note} className="text-xs text-muted">
            {hint}
          </p>
        )
      )}
    </div>
  )
}
