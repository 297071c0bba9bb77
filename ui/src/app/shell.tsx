import { Dialog } from '@base-ui/react/dialog'
import { Link, useLocation, useNavigate } from '@tanstack/react-router'
import { ChevronsUpDown, Code2, Keyboard, KeySquare, LogOut, Menu as MenuIcon, Monitor, Moon, Search, Sun, UserRoundCog } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react'
import { ofAccount, readsAccount, useViewer } from '@/graphql/viewer'
import { initials } from '@/kit/avatar'
import { Button } from '@/kit/button'
import { cx } from '@/kit/cx'
import { Kbd } from '@/kit/kbd'
import { Logo } from '@/kit/logo'
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from '@/kit/menu'
import { t } from '@/lib/i18n'
import { stepRow, useKeys } from '@/lib/keys'
import { nameOf, type Plane, planeOf } from '@/lib/plane'
import { setTheme, type Theme, useTheme } from '@/lib/theme'
import { otherPages, type Page, pageAt, planePages, platformPages } from './nav'
import { Shortcuts } from './shortcuts'
import { SupportFrame } from './support-frame'

const loadPalette = () => import('./palette')
const Palette = lazy(loadPalette)
const WhyDialog = lazy(() => import('@/features/access/why-dialog'))
const Bell = lazy(async () => ({ default: (await import('@/features/inbox/bell')).Bell }))
const SupportInside = lazy(async () => ({ default: (await import('@/features/support/inside')).SupportInside }))

type Props = { children: ReactNode; onSignOut: () => void; onSwitchAccount: (accountId: string) => void; onEndSupport: (id: string) => Promise<void>; onSupportOver: () => void }

/** Where one is, read from the address alone. */
function usePlace() {
  const { pathname } = useLocation()
  const plane = planeOf(pathname.split('/')[3] ?? '')
  return { pathname, plane, platform: pathname.startsWith('/sa') }
}

export function Shell({ children, onSignOut, onSwitchAccount, onEndSupport, onSupportOver }: Props) {
  const viewer = useViewer()
  const navigate = useNavigate()
  const { pathname, plane, platform } = usePlace()
  const [palette, setPalette] = useState(false)
  const [asking, setAsking] = useState(false)
  // The address that the menu was opened at: going elsewhere closes it.
  const [sheet, setSheet] = useState<string>()
  const [help, setHelp] = useState(false)
  const [stopping, setStopping] = useState(false)
  const support = viewer.support
  // Pages without a plane keep the one before in the sidebar, so that the way back is one click.
  const [shown, setShown] = useState<Plane>(plane ?? viewer.account.planes[0] ?? 'CONSOLE')
  if (plane && plane !== shown) setShown(plane)

  const pages = platform || viewer.isPlatformStaff ? platformPages(viewer) : planePages(viewer, shown)
  const all = [...pages, ...otherPages(viewer)]
  const current = pageAt(all, pathname)

  const accent = platform ? 'platform' : (plane ?? shown).toLowerCase()
  useEffect(() => {
    document.documentElement.dataset.plane = accent
  }, [accent])

  // Fetched ahead of its first use: what is typed after Ctrl K must not be lost.
  useEffect(() => {
    const timer = setTimeout(loadPalette, 1500)
    return () => clearTimeout(timer)
  }, [])
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault()
        setPalette((open) => !open)
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  useKeys({
    '/': () => document.querySelector<HTMLInputElement>('[data-filter]')?.focus(),
    '?': () => setHelp(true),
    j: () => stepRow(1),
    k: () => stepRow(-1),
    ...Object.fromEntries(all.map((p) => [`g ${p.key}`, () => navigate({ to: p.to })])),
  })

  const nav = (
    <>
      {!platform && !viewer.isPlatformStaff && <PlaneSwitch planes={viewer.account.planes.filter((p) => planePages(viewer, p).length > 0)} shown={shown} />}
      <Nav pages={pages} current={current} label={platform ? t('Super admin') : nameOf(shown)} />
      {pages.length > 0 && otherPages(viewer).length > 0 && <hr className="mx-3 my-2 border-line" />}
      <Nav pages={otherPages(viewer)} current={current} label={t('Account')} />
    </>
  )

  const stop = async () => {
    setStopping(true)
    await onEndSupport(support!.id)
    setStopping(false)
  }
  return (
    <div className={cx('min-h-dvh', support ? '[--banner:2.75rem] max-md:[--banner:3.5rem]' : '[--banner:0rem]')}>
      <title>{[support && t('Support in {{account}}', { account: viewer.account.name }), current?.label, platform ? t('Super admin') : plane && nameOf(plane), 'Cockpit'].filter(Boolean).join(' · ')}</title>
      <a href="#main" className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-primary-fg focus:not-sr-only focus:fixed focus:start-3 focus:top-2">
        {t('Skip to content')}
      </a>
      {support && <SupportFrame viewer={viewer} busy={stopping} onStop={stop} onOver={onSupportOver} />}
      <header className="print:hidden sticky top-(--banner) z-30 flex h-13 items-center gap-2.5 border-b border-line bg-surface px-4 max-sm:px-3">
        <Button variant="ghost" size="icon" className="-ms-1 lg:hidden" aria-label={t('Menu')} onClick={() => setSheet(pathname)}>
          <MenuIcon aria-hidden />
        </Button>
        <Link to="/" className="flex items-center gap-2.5 rounded-md pe-1 text-lg font-semibold tracking-tight max-sm:hidden">
          <Logo /> Cockpit
        </Link>
        <AccountPicker onSwitch={onSwitchAccount} />
        <nav aria-label={t('Breadcrumb')} className="flex min-w-0 items-center gap-2 text-sm max-md:hidden">
          {(plane || platform) && <span className="rounded-sm bg-accent-soft px-1.5 py-0.5 text-xs font-medium text-accent-text">{platform ? t('Super admin') : nameOf(plane!)}</span>}
          {current && (
            <>
              {(plane || platform) && (
                <span aria-hidden className="text-muted">
                  /
                </span>
              )}
              <span aria-current="page" className="truncate font-medium">
                {current.label}
              </span>
            </>
          )}
        </nav>
        <div className="grow" />
        <Button size="sm" onClick={() => setPalette(true)} className="text-muted max-sm:size-8 max-sm:px-0" aria-keyshortcuts="Control+K">
          <Search aria-hidden /> <span className="max-sm:sr-only">{t('Search')}</span>
          <span className="max-sm:hidden" aria-hidden>
            <Kbd>Ctrl K</Kbd>
          </span>
        </Button>
        {!support && (
          <Suspense fallback={<span className="size-8 shrink-0" />}>
            <Bell />
          </Suspense>
        )}
        <ThemePicker />
        <UserMenu onSignOut={onSignOut} onHelp={() => setHelp(true)} onGo={(to) => navigate({ to })} />
      </header>
      <div className="flex">
        <aside className="print:hidden sticky top-[calc(3.25rem+var(--banner))] hidden h-[calc(100dvh-3.25rem-var(--banner))] w-60 shrink-0 flex-col overflow-y-auto border-e border-line bg-surface py-3 lg:flex">{nav}</aside>
        <main id="main" tabIndex={-1} className="min-w-0 grow px-6 py-6 outline-none max-sm:px-3 max-sm:py-4">
          <div className="mx-auto max-w-7xl">
            {ofAccount(viewer) && readsAccount(viewer) && (
              <Suspense>
                <SupportInside />
              </Suspense>
            )}
            {children}
          </div>
        </main>
      </div>
      <Dialog.Root open={sheet === pathname} onOpenChange={(open) => setSheet(open ? pathname : undefined)}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fade fixed inset-0 z-40 bg-scrim" />
          <Dialog.Popup data-modal className="slide-start fixed inset-y-0 start-0 z-40 flex w-72 max-w-[85vw] flex-col overflow-y-auto border-e border-line bg-surface py-3 shadow-lg outline-none">
            <Dialog.Title className="flex items-center gap-2.5 px-4 pb-3 text-lg font-semibold">
              <Logo /> Cockpit
            </Dialog.Title>
            {nav}
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      {palette && (
        <Suspense>
          <Palette onClose={() => setPalette(false)} onTheme={setTheme} onSignOut={onSignOut} onWhy={viewer.isPlatformStaff ? undefined : () => setAsking(true)} plane={platform ? null : shown} />
        </Suspense>
      )}
      {asking && (
        <Suspense>
          <WhyDialog plane={shown} anyPlane onClose={() => setAsking(false)} />
        </Suspense>
      )}
      <Shortcuts open={help} onClose={() => setHelp(false)} pages={all} />
    </div>
  )
}

function Nav({ pages, current, label }: { pages: Page[]; current?: Page; label: string }) {
  return (
    <nav aria-label={label}>
      <ul className="flex flex-col gap-0.5 px-3">
        {pages.map((p) => (
          <li key={p.to}>
            <Link
              to={p.to}
              // By itself a link counts as current on every address below its own.
              activeOptions={{ exact: true }}
              aria-current={p.to === current?.to ? 'page' : undefined}
              className={cx(
                'flex h-8 items-center gap-3 rounded-md px-2.5 text-sm font-medium text-muted transition-colors hover:bg-hover hover:text-fg',
                p.to === current?.to && 'bg-accent-soft text-accent-text hover:bg-accent-soft hover:text-accent-text',
              )}
            >
              <p.icon aria-hidden className="size-4" /> {p.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function PlaneSwitch({ planes, shown }: { planes: readonly Plane[]; shown: Plane }) {
  const viewer = useViewer()
  if (planes.length === 0) return null
  if (planes.length === 1) return <p className="mx-3 mb-3 rounded-md bg-accent-soft px-2.5 py-1.5 text-sm font-medium text-accent-text">{nameOf(planes[0]!)}</p>
  return (
    <nav aria-label={t('Plane')} className="mx-3 mb-3 flex rounded-md bg-hover p-0.5">
      {planes.map((p) => (
        <Link
          key={p}
          to={planePages(viewer, p)[0]!.to}
          aria-current={p === shown ? 'true' : undefined}
          className={cx('flex h-7 grow items-center justify-center rounded-[5px] text-sm font-medium text-muted transition-colors hover:text-fg', p === shown && 'bg-accent text-accent-fg shadow-xs hover:text-accent-fg')}
        >
          {nameOf(p)}
        </Link>
      ))}
    </nav>
  )
}

function AccountPicker({ onSwitch }: { onSwitch: (accountId: string) => void }) {
  const viewer = useViewer()
  if (viewer.accounts.length < 2) {
    return <span className="flex h-8 min-w-0 items-center truncate rounded-md border border-line px-2.5 text-sm font-medium">{viewer.account.name}</span>
  }
  return (
    <Menu
      align="start"
      trigger={
        <Button size="sm" className="min-w-0 shrink" >
          <span className="sr-only">{t('Account:')}</span>
          <span className="truncate">{viewer.account.name}</span>
          <ChevronsUpDown aria-hidden className="text-muted" />
        </Button>
      }
    >
      <MenuLabel>{t('Accounts')}</MenuLabel>
      <MenuChoice value={viewer.account.id} onChange={onSwitch} options={viewer.accounts.map((a) => ({ value: a.id, label: a.name }))} />
    </Menu>
  )
}

const themes = [
  { value: 'light', label: t('Light') },
  { value: 'dark', label: t('Dark') },
  { value: 'system', label: t('As the system') },
] as const

function ThemePicker() {
  const theme = useTheme()
  const Icon = { light: Sun, dark: Moon, system: Monitor }[theme]
  return (
    <Menu
      trigger={
        <Button size="icon" aria-label={t('Theme')}>
          <Icon aria-hidden />
        </Button>
      }
    >
      <MenuChoice<Theme> value={theme} onChange={setTheme} options={themes} />
    </Menu>
  )
}

function UserMenu({ onSignOut, onHelp, onGo }: { onSignOut: () => void; onHelp: () => void; onGo: (to: string) => void }) {
  const { user, name, support } = useViewer()
  return (
    <Menu
      trigger={
        <button type="button" className="flex size-8 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text">
          <span aria-hidden>{initials(name)}</span>
          <span className="sr-only">{t('You: {{name}}', { name })}</span>
        </button>
      }
    >
      <div className="px-2.5 py-1.5">
        <p className="text-sm font-medium">{name}</p>
        <p className="text-xs text-muted">{user?.email ?? support?.staffEmail}</p>
      </div>
      <MenuLine />
      {!support && (
        <>
          <MenuItem onClick={() => onGo('/me/profile')}>
            <UserRoundCog aria-hidden /> {t('Profile & sessions')}
          </MenuItem>
          <MenuItem onClick={() => onGo('/me/programs')}>
            <KeySquare aria-hidden /> {t('Tokens & programs')}
          </MenuItem>
        </>
      )}
      <MenuItem onClick={() => location.assign('/graphiql')}>
        <Code2 aria-hidden /> {t('GraphiQL')}
      </MenuItem>
      <MenuItem onClick={onHelp}>
        <Keyboard aria-hidden /> {t('Keyboard shortcuts')}
      </MenuItem>
      <MenuLine />
      <MenuItem onClick={onSignOut}>
        <LogOut aria-hidden /> {t('Sign out')}
      </MenuItem>
    </Menu>
  )
}
