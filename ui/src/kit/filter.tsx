import { Search } from 'lucide-react'
import { useState } from 'react'
import { cx } from './cx'
import { Input } from './field'

/** The page's filter; `/` focuses it from anywhere on the page. */
export function Filter({ value, onChange, label, className }: { value: string; onChange: (value: string) => void; label: string; className?: string }) {
  // Its own state: what is typed must show at once, while the address follows in its own time.
  const [text, setText] = useState(value)
  const type = (next: string) => {
    setText(next)
    onChange(next)
  }
  return (
    <div className={cx('relative w-full sm:w-72', className)}>
      <Search aria-hidden className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-muted" />
      <Input type="search" data-filter value={text} onChange={(e) => type(e.target.value)} placeholder={label} aria-label={label} className="h-8 ps-9" />
    </div>
  )
}
