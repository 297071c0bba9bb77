import type { ComponentProps, ReactNode } from 'react'
import { cx } from './cx'

/** A table that scrolls sideways inside its card, never the page. */
export function Table({ children, label, className }: { children: ReactNode; label: string; className?: string }) {
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className={cx('w-full border-collapse text-sm', className)}>{children}</table>
    </div>
  )
}

export function Head({ children }: { children: ReactNode }) {
  return (
    <thead>
      <tr className="border-b border-line">{children}</tr>
    </thead>
  )
}

/** `wide` columns hide on small screens; what they hold is in the peek panel. */
export function Th({ className, wide, ...props }: ComponentProps<'th'> & { wide?: boolean }) {
  return <th scope="col" className={cx('h-9 px-4 text-start text-xs font-medium whitespace-nowrap text-muted', wide && 'max-md:hidden', className)} {...props} />
}

export function Td({ className, wide, ...props }: ComponentProps<'td'> & { wide?: boolean }) {
  return <td className={cx('px-4 py-2.5 align-middle', wide && 'max-md:hidden', className)} {...props} />
}

export const rowClass = 'border-b border-line last:border-b-0 transition-colors hover:bg-hover/60'
