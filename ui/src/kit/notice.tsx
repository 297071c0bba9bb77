import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from './cx'

const looks = {
  info: { icon: Info, className: 'bg-info-soft [&>svg]:text-info' },
  ok: { icon: CircleCheck, className: 'bg-ok-soft [&>svg]:text-ok' },
  warn: { icon: TriangleAlert, className: 'bg-warn-soft [&>svg]:text-warn' },
  bad: { icon: CircleAlert, className: 'bg-bad-soft [&>svg]:text-bad' },
} as const

/** Something to know before going on; `alert` is read out at once. */
export function Notice({ tone = 'info', title, children, alert, className }: { tone?: keyof typeof looks; title?: ReactNode; children?: ReactNode; alert?: boolean; className?: string }) {
  const { icon: Icon, className: look } = looks[tone]
  return (
    <div role={alert ? 'alert' : undefined} className={cx('flex items-start gap-2.5 rounded-lg px-3.5 py-2.5 text-sm text-fg', look, className)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 grow">
        {title && <p className="font-medium">{title}</p>}
        {children}
      </div>
    </div>
  )
}
