import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { t } from '@/lib/i18n'

const manager = Toast.createToastManager()

/** Says in one sentence what was done; with `undo` it stays 8 seconds. */
export function toast(title: string, undo?: () => void) {
  const id = manager.add({
    title,
    timeout: undo ? 8000 : 4000,
    actionProps: undo && {
      children: t('Undo'),
      onClick: () => {
        undo()
        manager.close(id)
      },
    },
  })
}

export function ToastProvider({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed end-4 bottom-4 z-50 flex w-80 max-w-[calc(100vw-2rem)] flex-col gap-2">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function List() {
  const { toasts } = Toast.useToastManager()
  return toasts.map((entry) => (
    <Toast.Root key={entry.id} toast={entry} className="fade flex items-center gap-3 rounded-lg border border-line bg-raised py-2.5 ps-4 pe-2 shadow-lg">
      <Toast.Title className="grow text-sm font-medium" />
      {entry.actionProps && <Toast.Action className="h-7 rounded-sm px-2 text-sm font-medium text-accent-text hover:bg-hover" />}
      <Toast.Close aria-label={t('Dismiss')} className="flex size-7 items-center justify-center rounded-sm text-muted hover:bg-hover">
        <X aria-hidden className="size-3.5" />
      </Toast.Close>
    </Toast.Root>
  ))
}
