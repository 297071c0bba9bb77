import { t } from '@/lib/i18n'
import { compareLines } from '@/lib/lines'
import { cx } from './cx'

const looks = {
  same: { mark: ' ', word: '', className: '' },
  gone: { mark: '−', word: t('removed: '), className: 'bg-bad-soft' },
  new: { mark: '+', word: t('added: '), className: 'bg-ok-soft' },
}

/** Two texts line by line: what went, what came, and what stayed. */
export function Diff({ before, after, label, className }: { before: string; after: string; label: string; className?: string }) {
  return (
    <div className={cx('max-h-72 overflow-auto py-1 font-mono text-xs', className)} tabIndex={0} role="group" aria-label={label}>
      {Array.from(compareLines(before, after).entries(), ([at, line]) => (
        <div key={at} className={cx('flex gap-2 px-3 whitespace-pre-wrap', looks[line.kind].className)}>
          <span aria-hidden className="w-2 shrink-0 text-muted select-none">
            {looks[line.kind].mark}
          </span>
          <span className="sr-only">{looks[line.kind].word}</span>
          <span className="min-w-0 break-words">{line.text || ' '}</span>
        </div>
      ))}
    </div>
  )
}
