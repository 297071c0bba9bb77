import type { ReactNode } from 'react'

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="rounded-sm border border-line bg-hover px-1.5 font-sans text-xs font-medium text-muted">{children}</kbd>
}
