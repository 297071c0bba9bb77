import type { ReactNode } from 'react'
import { cx } from './cx'

export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return <section className={cx('min-w-0 overflow-hidden rounded-lg border border-line bg-surface shadow-xs', className)}>{children}</section>
}

export function CardHead({ title, note, children }: { title: ReactNode; note?: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 pt-3.5 pb-2.5">
      <div className="min-w-0">
        <h2 className="text-sm font-semibold">{title}</h2>
        {note && <p className="text-xs text-muted">{note}</p>}
      </div>
      {children}
    </div>
  )
}

/** One number with what it means. */
export function Stat({ label, value, note }: { label: ReactNode; value: ReactNode; note?: ReactNode }) {
  return (
    <Card className="px-4 py-3.5">
      <p className="text-xs text-muted">{label}</p>
      <p className="num mt-0.5 truncate text-2xl font-semibold tracking-tight">{value}</p>
      <p className="mt-0.5 min-h-4 truncate text-xs text-muted">{note}</p>
    </Card>
  )
}
