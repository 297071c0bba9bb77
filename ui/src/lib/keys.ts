import { useLayoutEffect, useRef } from 'react'

const OFF = 'cockpit.single-keys'

export const singleKeys = () => localStorage.getItem(OFF) !== 'off'
export const setSingleKeys = (on: boolean) => localStorage.setItem(OFF, on ? 'on' : 'off')

const inField = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Moves the focus to the next or previous row of the page's list; a treegrid moves by itself. */
export function stepRow(by: 1 | -1) {
  const links = [...document.querySelectorAll<HTMLElement>('[data-row-link]')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus()
}

type Bindings = Record<string, () => void>

/**
 * Single-key shortcuts, inert in fields, in dialogs and with a modifier; two letters in a row ("g b") are a sequence.
 */
export function useKeys(bindings: Bindings) {
  const latest = useRef(bindings)
  // Before the page is painted: what is typed as soon as it shows must not be lost.
  useLayoutEffect(() => {
    latest.current = bindings
  })
  useLayoutEffect(() => {
    let first = ''
    let timer = 0
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || inField(e.target) || !singleKeys()) return
      if (document.querySelector('[data-modal]')) return
      const run = latest.current[first ? `${first} ${e.key}` : e.key]
      clearTimeout(timer)
      if (run) {
        e.preventDefault()
        first = ''
        run()
      } else {
        first = Object.keys(latest.current).some((k) => k.startsWith(`${e.key} `)) ? e.key : ''
        timer = window.setTimeout(() => (first = ''), 1200)
      }
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
