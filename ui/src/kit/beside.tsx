import { Popover as Base } from '@base-ui/react/popover'
import type { ReactNode, RefObject } from 'react'

type Props = { label: string; anchor: RefObject<Element | null>; children: ReactNode }

/** A light box beside what is being edited, for as long as it is. The focus stays where it is. */
export function Beside({ label, anchor, children }: Props) {
  return (
    <Base.Root open>
      <Base.Portal>
        <Base.Positioner anchor={anchor} side="bottom" align="start" sideOffset={6} collisionPadding={12} className="z-50 outline-none">
          <Base.Popup aria-label={label} initialFocus={false} finalFocus={false} className="popup max-h-[60vh] w-84 max-w-[calc(100vw-1.5rem)] overflow-y-auto rounded-lg border border-line bg-raised p-3 text-xs shadow-lg outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}
