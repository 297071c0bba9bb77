import { RouterProvider } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Provider } from 'urql'
import { hangUp, makeClient } from '@/graphql/client'
import type { Viewer } from '@/graphql/viewer'
import { ToastProvider } from '@/kit/toast'
import { safePath } from '@/lib/url'
import { home } from './nav'
import { router } from './router'

// Pages that are there for whoever isn't signed in.
const outside = /^\/(sign-in|signin|reset|reset-password|invite|invitation)(\/|$)/

export function App() {
  // A new number is a new sign-in: nothing that the former one has read is left in memory.
  const [generation, setGeneration] = useState(0)
  const client = useMemo(
    () =>
      makeClient(() => {
        const here = location.pathname + location.search
        if (!outside.test(location.pathname)) router.navigate({ to: '/sign-in', search: here === '/' ? {} : { next: here } })
      }),
    // oxlint-disable-next-line react/exhaustive-deps
    [generation],
  )
  const enter = (viewer: Viewer, next?: string) => {
    hangUp()
    setGeneration((n) => n + 1)
    router.navigate({ href: safePath(next) ?? home(viewer), replace: true })
  }
  const leave = (next?: string) => {
    hangUp()
    setGeneration((n) => n + 1)
    router.navigate({ to: '/sign-in', search: { next } })
  }
  return (
    <Provider value={client}>
      <ToastProvider>
        <RouterProvider key={generation} router={router} context={{ enter, leave }} />
      </ToastProvider>
    </Provider>
  )
}
