import { type ReactNode, useState } from 'react'
import { t } from '@/lib/i18n'
import { Button } from './button'
import { CopyButton } from './copy'
import { Dialog } from './dialog'
import { Checkbox } from './toggle'

/** Text to be copied, whole. */
export function Copyable({ text, label, testId }: { text: string; label: string; testId?: string }) {
  return (
    <div className="flex items-center gap-2 rounded-md border border-line bg-bg p-2 ps-3">
      <code data-testid={testId} className="min-w-0 grow font-mono text-sm break-all">
        {text}
      </code>
      <CopyButton text={text} label={label} />
    </div>
  )
}

type Props = { title: ReactNode; description: ReactNode; acknowledge: string; children: ReactNode; onDone: () => void; className?: string }

/** What is shown this once: it can only be left after saying that it is kept. */
export function Once({ title, description, acknowledge, children, onDone, className }: Props) {
  const [kept, setKept] = useState(false)
  return (
    <Dialog open sticky onClose={onDone} title={title} description={description} className={className}>
      {children}
      <div className="mt-5 flex flex-wrap items-center justify-between gap-3">
        <Checkbox checked={kept} onChange={setKept}>
          {acknowledge}
        </Checkbox>
        <Button variant="primary" disabled={!kept} onClick={onDone}>
          {t('Done')}
        </Button>
      </div>
    </Dialog>
  )
}
