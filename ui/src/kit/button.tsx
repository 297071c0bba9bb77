import { cva, type VariantProps } from 'class-variance-authority'
import type { ComponentProps } from 'react'
import { cx } from './cx'

export const buttonClass = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-md text-sm font-medium whitespace-nowrap transition-colors select-none disabled:opacity-55 disabled:pointer-events-none aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'bg-primary text-primary-fg hover:bg-primary/90',
        secondary: 'border border-line bg-surface text-fg shadow-xs hover:bg-hover',
        ghost: 'text-muted hover:bg-hover hover:text-fg',
        danger: 'bg-bad text-bad-fg hover:bg-bad/90',
      },
      size: { sm: 'h-8 px-2.5', md: 'h-9 px-3.5', icon: 'size-8' },
    },
    defaultVariants: { variant: 'secondary', size: 'md' },
  },
)

type Props = ComponentProps<'button'> & VariantProps<typeof buttonClass> & { busy?: boolean }

/** `busy` keeps the width and the focus, and lets no second press through. */
export function Button({ variant, size, busy, className, children, disabled, ...props }: Props) {
  return (
    <button type="button" disabled={disabled || busy} aria-busy={busy || undefined} className={cx(buttonClass({ variant, size }), className)} {...props}>
      {busy && <Spinner />}
      {children}
    </button>
  )
}

function Spinner() {
  return <span aria-hidden className="size-3.5 animate-spin rounded-full border-2 border-current border-e-transparent" />
}
