import type { ReactNode } from 'react'
import { t } from '@/lib/i18n'
import { CopyButton } from './copy'
import { cx } from './cx'

/** What is known of one thing, name by name. */
export function Facts({ facts, className }: { facts: readonly (readonly [string, ReactNode] | false | null | undefined)[]; className?: string }) {
  return (
    <dl className={cx('grid grid-cols-[8rem_1fr] gap-x-4 gap-y-2 max-sm:grid-cols-[6.5rem_1fr]', className)}>
      {facts.map(
        (f) =>
          f && (
            <div key={f[0]} className="contents">
              <dt className="text-muted">{f[0]}</dt>
              <dd className="min-w-0 break-words">{f[1]}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

/** An id as one needs it elsewhere. */
export function Id({ id }: { id: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1">
      <code className="min-w-0 truncate font-mono text-xs">{id}</code>
      <CopyButton compact text={id} label={t('Copy id')} />
    </span>
  )
}
