import { Check } from 'lucide-react'
import { t } from '@/lib/i18n'
import { cx } from './cx'

/** Where one is in a dialog of several steps. */
export function Steps({ steps, at }: { steps: readonly string[]; at: number }) {
  return (
    <ol aria-label={t('Steps')} className="mb-4 flex items-center gap-2 text-xs">
      {steps.map((name, i) => (
        <li key={name} aria-current={i === at ? 'step' : undefined} className={cx('flex min-w-0 items-center gap-2', i < steps.length - 1 && 'grow')}>
          <span className={cx('flex size-5 shrink-0 items-center justify-center rounded-full font-semibold', i <= at ? 'bg-accent text-accent-fg' : 'bg-hover text-muted')}>{i < at ? <Check aria-hidden className="size-3 stroke-3" /> : i + 1}</span>
          <span className={cx('truncate font-medium', i === at ? 'text-fg' : 'text-muted max-sm:sr-only')}>{name}</span>
          {i < steps.length - 1 && <span aria-hidden className="h-px min-w-3 grow bg-line" />}
        </li>
      ))}
    </ol>
  )
}
