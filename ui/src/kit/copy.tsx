import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { t } from '@/lib/i18n'
import { Button } from './button'

type Props = { text: string; label?: string; onCopied?: () => void; compact?: boolean }

export function CopyButton({ text, label = t('Copy'), onCopied, compact }: Props) {
  const [done, setDone] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setDone(true)
    onCopied?.()
    setTimeout(() => setDone(false), 2000)
  }
  const said = done ? t('Copied') : label
  return (
    <Button size={compact ? 'icon' : 'sm'} variant={compact ? 'ghost' : 'secondary'} onClick={copy} aria-label={compact ? said : undefined} className={compact ? 'size-6 [&_svg]:size-3.5' : undefined}>
      {done ? <Check aria-hidden /> : <Copy aria-hidden />}
      {!compact && <span aria-live="polite">{said}</span>}
    </Button>
  )
}
