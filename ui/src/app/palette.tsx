import { Dialog } from '@base-ui/react/dialog'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { CircleQuestionMark, Code2, LogOut, type LucideIcon, Moon, Sun } from 'lucide-react'
import { useState } from 'react'
import { useViewer } from '@/graphql/viewer'
import { Kbd } from '@/kit/kbd'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import type { Theme } from '@/lib/theme'
import { otherPages, type Page, planeActions, planePages, platformPages } from './nav'

type Props = { onClose: () => void; onTheme: (theme: Theme) => void; onSignOut: () => void; onWhy?: () => void; plane: Plane | null }

/** Pages of the plane one is in; Tab widens to all. Every hit says its plane. */
export default function Palette({ onClose, onTheme, onSignOut, onWhy, plane }: Props) {
  const viewer = useViewer()
  const navigate = useNavigate()
  const [wide, setWide] = useState(false)
  const run = (act: () => void) => () => {
    onClose()
    act()
  }
  const go = (p: Page, scope: string) => <Hit key={p.to} icon={p.icon} label={p.label} note={scope} onSelect={run(() => navigate({ href: p.to }))} />
  const planes = viewer.account.planes.filter((p) => wide || p === plane)

  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fade fixed inset-0 z-40 bg-scrim" />
        <Dialog.Popup data-modal aria-label={t('Search')} className="popup fixed inset-x-3 top-[12vh] z-40 mx-auto max-w-xl overflow-hidden rounded-xl border border-line bg-raised shadow-lg outline-none">
          <Command
            label={t('Search')}
            onKeyDown={(e) => {
              if (e.key === 'Tab' && !e.shiftKey && !wide && viewer.account.planes.length > 1) {
                e.preventDefault()
                setWide(true)
              }
            }}
          >
            <Command.Input autoFocus placeholder={t('Search pages and actions')} className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none" />
            <Command.List className="max-h-[50vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted">
              <Command.Empty className="px-2.5 py-6 text-center text-muted">{t('Nothing is called that.')}</Command.Empty>
              {platformPages(viewer).length > 0 && <Command.Group heading={t('Super admin')}>{platformPages(viewer).map((p) => go(p, t('Super admin')))}</Command.Group>}
              {planes.map((p) => {
                const pages = planePages(viewer, p)
                return (
                  pages.length > 0 && (
                    <Command.Group key={p} heading={t('{{plane}} pages', { plane: nameOf(p) })}>
                      {[...pages, ...planeActions(viewer, p)].map((page) => go(page, nameOf(p)))}
                    </Command.Group>
                  )
                )
              })}
              {otherPages(viewer).length > 0 && <Command.Group heading={t('Account')}>{otherPages(viewer).map((p) => go(p, viewer.account.name))}</Command.Group>}
              <Command.Group heading={t('Actions')}>
                {onWhy && <Hit icon={CircleQuestionMark} label={t("Why can't I…")} onSelect={run(onWhy)} />}
                <Hit icon={Sun} label={t('Light theme')} onSelect={run(() => onTheme('light'))} />
                <Hit icon={Moon} label={t('Dark theme')} onSelect={run(() => onTheme('dark'))} />
                <Hit icon={Code2} label={t('Open GraphiQL')} onSelect={run(() => location.assign('/graphiql'))} />
                <Hit icon={LogOut} label={t('Sign out')} onSelect={run(onSignOut)} />
              </Command.Group>
            </Command.List>
            {!wide && plane && viewer.account.planes.length > 1 && (
              <p className="border-t border-line px-4 py-2 text-xs text-muted">
                <Kbd>Tab</Kbd> {t('searches both planes')}
              </p>
            )}
          </Command>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Hit({ icon: Icon, label, note, onSelect }: { icon: LucideIcon; label: string; note?: string; onSelect: () => void }) {
  return (
    <Command.Item
      value={`${label} ${note ?? ''}`}
      onSelect={onSelect}
      className="flex h-8.5 cursor-default items-center gap-3 rounded-md px-2.5 text-sm font-medium select-none data-[selected=true]:bg-hover"
    >
      <Icon aria-hidden className="size-4 text-muted" />
      <span className="grow truncate">{label}</span>
      {note && <span className="text-xs font-normal text-muted">{note}</span>}
    </Command.Item>
  )
}
