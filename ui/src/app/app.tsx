import { RouterProvider } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Provider } from 'urql'
import { hangUp, makeClient } from '@/graphql/client'
import type { Viewer } from '@/graphql/viewer'
import { ToastProvider } from '@/kit/toast'
import { home } from './nav'
import { router } from './router'

export function App() {
  // A new number is a new sign-in: nothing that the former one has read is left in memory.
  const [generation, setGeneration] = useState(0)
  const client = useMemo(
    () =>
      makeClient(() => {
        const here = location.pathname + location.search
        if (!location.pathname.startsWith('/signin')) router.navigate({ to: '/signin', search: here === '/' ? {} : { next: here } })
      }),
    // oxlint-disable-next-line react/exhaustive-deps
    [generation],
  )
  const enter = (viewer: Viewer, next?: string) => {
    hangUp()
    setGeneration((n) => n + 1)
    router.navigate({ href: next && /^\/(?![/\\])/.test(next) ? next : home(viewer), replace: true })
  }
  const leave = () => {
    hangUp()
    setGeneration((n) => n + 1)
    router.navigate({ to: '/signin', search: {} })
  }
  return (
    <Provider value={client}>
      <ToastProvider>
        <RouterProvider key={generation} router={router} context={{ enter, leave }} />
      </ToastProvider>
    </Provider>
  )
}
