import { Popover as Base } from '@base-ui/react/popover'
import type { ReactNode, RefObject } from 'react'
import { cx } from './cx'

type Props = { anchor: RefObject<Element | null>; onClose: () => void; children: ReactNode; className?: string }

/** A light box beside what is being edited. The focus stays where it is. */
export function Popover({ anchor, onClose, children, className }: Props) {
  return (
    <Base.Root open onOpenChange={(open, details) => !open && details.reason === 'outside-press' && onClose()}>
      <Base.Portal>
        <Base.Positioner anchor={anchor} side="bottom" align="start" sideOffset={6} collisionPadding={12} className="z-50 outline-none">
          <Base.Popup initialFocus={false} finalFocus={false} className={cx('popup w-84 max-w-[calc(100vw-1.5rem)] rounded-lg border border-line bg-raised p-3 text-xs shadow-lg outline-none', className)}>
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
