import { CircleCheck, CircleX } from 'lucide-react'

export function Health({ ok, text, title }: { ok: boolean; text: string; title?: string }) {
  const Icon = ok ? CircleCheck : CircleX
  return (
    <span className={ok ? 'inline-flex items-center gap-1.5 text-ok' : 'inline-flex items-center gap-1.5 text-bad'} title={title}>
      <Icon aria-hidden className="size-4 shrink-0" /> {text}
    </span>
  )
}
