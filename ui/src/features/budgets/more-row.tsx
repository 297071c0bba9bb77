import { ChevronsDown } from 'lucide-react'
import { t } from '@/lib/i18n'
import { columns, type Handlers } from './row'
import type { More } from './tree'

/** The line of the treegrid that reads on. */
export function MoreRow({ line, current, on }: { line: More; current: boolean; on: Handlers }) {
  return (
    <div
      role="row"
      data-row={line.id}
      tabIndex={current ? 0 : -1}
      aria-level={line.level}
      onFocus={(e) => e.target === e.currentTarget && on.focus(line.id)}
      onKeyDown={(e) => on.press(e, line.id)}
      className={`${columns} min-h-10 border-b border-line last:border-b-0 focus-visible:-outline-offset-2`}
    >
      <div role="gridcell" className="col-span-full" style={{ paddingInlineStart: `calc(${line.level - 1} * var(--indent, 1.25rem))` }}>
        <button type="button" tabIndex={-1} disabled={line.busy} onClick={() => on.more(line.id)} className="inline-flex min-h-8 items-center gap-1.5 rounded-sm pe-1 font-medium text-accent-text hover:underline disabled:text-muted disabled:no-underline">
          <span className="flex w-6 shrink-0 justify-center max-md:w-2">
            <ChevronsDown aria-hidden className="size-4 shrink-0" />
          </span>
          {line.busy ? t('Loading…') : line.name ? t('Show more of {{name}}', { name: line.name }) : t('Show more')}
        </button>
      </div>
    </div>
  )
}
