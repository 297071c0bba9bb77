import { t } from '@/lib/i18n'
import { cx } from './cx'

function Bone({ className }: { className?: string }) {
  return <span aria-hidden className={cx('block rounded-sm bg-track/70', className)} />
}

/** Rows in the geometry of the table to come; visible after 150 ms. */
export function SkeletonRows({ rows = 6, height = 'h-12' }: { rows?: number; height?: string }) {
  return (
    <div className="late" role="status" aria-label={t('Loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className={cx('flex items-center gap-6 border-b border-line px-4 last:border-b-0', height)}>
          <Bone className="h-3 w-1/4" />
          <Bone className="h-3 w-1/3" />
          <Bone className="h-3 w-1/6 max-sm:hidden" />
        </div>
      ))}
    </div>
  )
}

export function SkeletonBlock({ className }: { className?: string }) {
  return (
    <div className={cx('late', className)} role="status" aria-label={t('Loading')}>
      <Bone className="size-full rounded-lg" />
    </div>
  )
}
