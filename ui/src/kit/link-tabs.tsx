import { Link, useLocation } from '@tanstack/react-router'
import { cx } from './cx'

export const list = 'flex max-w-full gap-1 overflow-x-auto border-b border-line'
export const tab = 'relative flex h-9 shrink-0 items-center gap-1.5 rounded-t-md px-3 text-sm font-medium text-muted transition-colors hover:text-fg focus-visible:-outline-offset-2'
export const chosen = 'text-accent-text after:absolute after:inset-x-2 after:bottom-0 after:h-0.5 after:rounded-full after:bg-accent hover:text-accent-text'

type LinkTab = { to: string; label: string }

/** On a narrow screen the strip is longer than the screen. */
function show(tab: HTMLElement | null) {
  if (tab?.parentElement) tab.parentElement.scrollLeft = tab.offsetLeft - 16
}

/** Pages that belong together; each has an address of its own. */
export function LinkTabs({ tabs, label }: { tabs: readonly LinkTab[]; label: string }) {
  const { pathname } = useLocation()
  if (tabs.length < 2) return null
  return (
    <nav aria-label={label} className={cx(list, 'relative mb-5')}>
      {tabs.map((p) => (
        <Link key={p.to} ref={pathname === p.to ? show : undefined} to={p.to} activeOptions={{ exact: true }} aria-current={pathname === p.to ? 'page' : undefined} className={cx(tab, pathname === p.to && chosen)}>
          {p.label}
        </Link>
      ))}
    </nav>
  )
}
