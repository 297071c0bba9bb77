import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark' | 'system'

const KEY = 'cockpit.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

const read = (): Theme => (localStorage.getItem(KEY) as Theme | null) ?? 'system'

function apply() {
  const theme = read()
  document.documentElement.classList.toggle('dark', theme === 'dark' || (theme === 'system' && system.matches))
  for (const tell of listeners) tell()
}

system.addEventListener('change', apply)

export function setTheme(theme: Theme) {
  localStorage.setItem(KEY, theme)
  apply()
}

export function useTheme(): Theme {
  return useSyncExternalStore((tell) => {
    listeners.add(tell)
    return () => listeners.delete(tell)
  }, read)
}
