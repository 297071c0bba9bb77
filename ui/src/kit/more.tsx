import type { ReactNode } from 'react'
import { t } from '@/lib/i18n'
import { Button } from './button'

/** Below a table: how many there are, and the way to the next page. */
export function TableFoot({ children, more, busy }: { children?: ReactNode; more?: () => void; busy?: boolean }) {
  if (!children && !more) return null
  return (
    <div className="flex min-h-10 items-center justify-between gap-2 border-t border-line px-4 py-1 text-xs text-muted">
      <span>{children}</span>
      {more && (
        <Button variant="ghost" size="sm" busy={busy} onClick={more}>
          {t('Show more')}
        </Button>
      )}
    </div>
  )
}
