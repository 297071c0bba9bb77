import { CircleAlert, Lock, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Fault } from '@/graphql/fault'
import { t } from '@/lib/i18n'
import { Button } from './button'
import { CopyButton } from './copy'

type EmptyProps = {
  icon?: ReactNode
  title: string
  children?: ReactNode
  action?: ReactNode
  /** It is the whole page, so its title is the page's. */
  page?: boolean
}

export function Empty({ icon, title, children, action, page }: EmptyProps) {
  const Title = page ? 'h1' : 'h2'
  return (
    <div className="flex flex-col items-center px-6 py-12 text-center">
      {icon && <div className="mb-3 flex size-10 items-center justify-center rounded-lg bg-accent-soft text-accent-text [&_svg]:size-5">{icon}</div>}
      <Title className="text-base font-semibold">{title}</Title>
      {children && <div className="mt-1 max-w-md text-sm text-muted">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  )
}

/** What went wrong, in a bar that leaves the page's data alone. */
export function ErrorBar({ fault, retry }: { fault: Fault; retry?: () => void }) {
  const forbidden = fault.code === 'FORBIDDEN'
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-surface px-4 py-3 text-sm shadow-xs">
      {forbidden ? <Lock aria-hidden className="size-4 text-warn" /> : <CircleAlert aria-hidden className="size-4 text-bad" />}
      <span className="min-w-0 grow">{fault.message}</span>
      {fault.requestId && (
        <span className="flex min-w-0 items-center gap-1 text-xs text-muted">
          {t('Request')} <code className="min-w-0 font-mono break-all">{fault.requestId}</code>
          <CopyButton compact text={fault.requestId} label={t('Copy request id')} />
        </span>
      )}
      {retry && !forbidden && (
        <Button size="sm" onClick={retry}>
          <RotateCw aria-hidden /> {t('Try again')}
        </Button>
      )}
    </div>
  )
}

/** A page that the viewer may not open: what they need, and whom to ask. */
export function Forbidden({ need, ask }: { need: string; ask: string }) {
  return (
    <Empty page icon={<Lock aria-hidden />} title={t('You need {{need}}', { need })}>
      {t('Ask {{ask}}.', { ask })}
    </Empty>
  )
}
