import { t } from '@/lib/i18n'
import { percent } from '@/lib/format'
import { cx } from './cx'

const fills = { ok: 'bg-accent', high: 'bg-warn-fill', warn: 'bg-warn-fill', bad: 'bg-bad' }

type Props = { used: number; elapsed: number; tone: keyof typeof fills; label: string }

/** How much is used; the tick is the share of the period that has gone by. */
export function UsedBar({ used, elapsed, tone, label }: Props) {
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.min(used, 100)}
      aria-valuetext={t('{{used}} used, {{elapsed}} of the period gone', { used: percent(used), elapsed: percent(elapsed) })}
      className="relative h-1.5 w-full rounded-full bg-track"
    >
      <div className={cx('h-full rounded-full transition-[width] duration-200', fills[tone])} style={{ width: `${Math.min(used, 100)}%` }} />
      <div className="absolute -top-0.5 h-2.5 w-0.5 rounded-full bg-fg" style={{ insetInlineStart: `calc(${Math.min(elapsed, 100)}% - 1px)` }} />
    </div>
  )
}
