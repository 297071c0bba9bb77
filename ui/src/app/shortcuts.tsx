import { useState } from 'react'
import { Dialog } from '@/kit/dialog'
import { Kbd } from '@/kit/kbd'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { setSingleKeys, singleKeys } from '@/lib/keys'
import type { Page } from './nav'

export function Shortcuts({ open, onClose, pages }: { open: boolean; onClose: () => void; pages: Page[] }) {
  const [on, setOn] = useState(singleKeys)
  const rows: [string[], string][] = [
    [['Ctrl', 'K'], t('Search and go anywhere')],
    [['/'], t('Filter the page')],
    [['J', 'K'], t('Next and previous row')],
    [['Enter'], t('Open the row')],
    [['E'], t('Edit the row')],
    [['C'], t('Create')],
    [['?'], t('This list')],
    ...pages.map((p): [string[], string] => [['G', p.key.toUpperCase()], p.label]),
  ]
  return (
    <Dialog open={open} onClose={onClose} title={t('Keyboard shortcuts')}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2">
        {rows.map(([keys, what]) => (
          <div key={keys.join() + what} className="contents">
            <dt className="flex gap-1">
              {keys.map((k) => (
                <Kbd key={k}>{k}</Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="mt-5 border-t border-line pt-4">
        <Checkbox
          checked={on}
          onChange={(next) => {
            setSingleKeys(next)
            setOn(next)
          }}
        >
          {t('Single keys work outside of fields')}
        </Checkbox>
      </div>
    </Dialog>
  )
}
