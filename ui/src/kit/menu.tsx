import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import type { ReactElement, ReactNode } from 'react'
import { cx } from './cx'

export function Menu({ trigger, children, align = 'end' }: { trigger: ReactElement; children: ReactNode; align?: 'start' | 'end' }) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className="z-50 outline-none">
          <Base.Popup className="popup max-h-[70vh] min-w-52 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-lg outline-none">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

const item = 'flex min-h-8 w-full cursor-default items-center gap-2.5 rounded-sm px-2.5 py-1 text-sm outline-none select-none data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:text-muted'

export function MenuItem({ onClick, children, danger }: { onClick: () => void; children: ReactNode; danger?: boolean }) {
  return (
    <Base.Item onClick={onClick} className={cx(item, danger && 'text-bad [&_svg]:text-bad')}>
      {children}
    </Base.Item>
  )
}

export function MenuChoice<V extends string>({ value, onChange, options }: { value: V; onChange: (v: V) => void; options: readonly { value: V; label: string; note?: string }[] }) {
  return (
    <Base.RadioGroup value={value} onValueChange={(v) => onChange(v as V)}>
      {options.map((o) => (
        <Base.RadioItem key={o.value} value={o.value} className={cx(item, 'justify-between')}>
          <span className="flex min-w-0 flex-col">
            <span className="truncate">{o.label}</span>
            {o.note && <span className="text-xs text-muted">{o.note}</span>}
          </span>
          <Base.RadioItemIndicator>
            <Check aria-hidden />
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  )
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className="px-2.5 pt-2 pb-1 text-xs text-muted">{children}</div>
}

export function MenuLine() {
  return <Base.Separator className="my-1 h-px bg-line" />
}
