import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { t } from '@/lib/i18n'
import { Button } from './button'
import { cx } from './cx'

type Props = {
  open: boolean
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  children: ReactNode
  /** A dialog that holds something shown once can only be left by its own button. */
  sticky?: boolean
  className?: string
}

const backdrop = 'fade fixed inset-0 z-40 bg-scrim'

export function Dialog({ open, onClose, title, description, children, sticky, className }: Props) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && !sticky && onClose()}>
      <Base.Portal>
        {/* Over a panel, too: what is asked is all that counts now. */}
        <Base.Backdrop forceRender className={backdrop} />
        <Base.Popup
          data-modal
          className={cx(
            'popup fixed inset-x-3 top-[8vh] z-40 mx-auto flex max-h-[84vh] max-w-lg flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-lg outline-none',
            className,
          )}
        >
          <Head title={title} description={description} closable={!sticky} />
          <div className="overflow-y-auto px-5 pt-1 pb-5">{children}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

/** A panel at the end edge; what is behind stays visible. */
export function Sheet({ open, onClose, title, description, children, className }: Props) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={backdrop} />
        <Base.Popup
          data-modal
          className={cx('slide-end fixed inset-y-0 end-0 z-40 flex w-full max-w-md flex-col border-s border-line bg-raised shadow-lg outline-none', className)}
        >
          <Head title={title} description={description} closable />
          <div className="flex-1 overflow-y-auto px-5 pt-1 pb-5">{children}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

function Head({ title, description, closable }: { title: ReactNode; description?: ReactNode; closable: boolean }) {
  return (
    <div className="flex items-start justify-between gap-4 px-5 pt-4 pb-3">
      <div className="min-w-0">
        <Base.Title className="text-lg font-semibold">{title}</Base.Title>
        {description && <Base.Description className="mt-0.5 text-sm text-muted">{description}</Base.Description>}
      </div>
      {closable && (
        <Base.Close render={<Button variant="ghost" size="icon" aria-label={t('Close')} className="-me-2" />}>
          <X aria-hidden />
        </Base.Close>
      )}
    </div>
  )
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-6 flex flex-wrap items-center justify-end gap-2">{children}</div>
}
