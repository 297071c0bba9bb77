import { RouterProvider } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { Provider } from 'urql'
import { hangUp, knock, makeClient } from '@/graphql/client'
import type { Viewer } from '@/graphql/viewer'
import { toast, ToastProvider } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { safePath } from '@/lib/url'
import { home } from './nav'
import { router } from './router'

// Pages that are there for whoever isn't signed in.
const outside = /^\/(sign-in|signin|reset|reset-password|invite|invitation)(\/|$)/

export function App() {
  // A new number is a new sign-in: nothing that the former one has read is left in memory.
  const [generation, setGeneration] = useState(0)
  // Staff whose support access is over are themselves again: the server gives their own session back with its refusal.
  const comeBack = async () => {
    hangUp()
    await knock()
    setGeneration((n) => n + 1)
    router.navigate({ to: '/sa', replace: true })
    toast(t('The support access is over'))
  }
  const client = useMemo(
    () =>
      makeClient((inSupport) => {
        if (inSupport) return void comeBack()
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
        <RouterProvider key={generation} router={router} context={{ enter, leave, comeBack }} />
      </ToastProvider>
    </Provider>
  )
}
