import { Search } from 'lucide-react'
import { cx } from './cx'
import { Input } from './field'

/** The page's filter; `/` focuses it from anywhere on the page. */
export function Filter({ value, onChange, label, className }: { value: string; onChange: (value: string) => void; label: string; className?: string }) {
  return (
    <div className={cx('relative w-full sm:w-72', className)}>
      <Search aria-hidden className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-muted" />
      <Input type="search" data-filter value={value} onChange={(e) => onChange(e.target.value)} placeholder={label} aria-label={label} className="h-8 ps-9" />
    </div>
  )
}
