import { cx } from './cx'

export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden className={cx('size-5 text-accent', className)} fill="none" stroke="currentColor" strokeWidth={2.2} strokeLinecap="round" strokeLinejoin="round">
      <path d="M2 13h4l3-9 5 17 3-8h5" />
    </svg>
  )
}
