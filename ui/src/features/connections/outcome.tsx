import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { Notice } from '@/kit/notice'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'

/** Why a sign-in came to nothing, by the code that the browser comes back with. */
const reasons: Record<string, string> = {
  FORBIDDEN: t('You, or the authorization server for you, said no; or the sign-in took longer than ten minutes, or had ended already.'),
  CONFLICT: t('The connection was changed while you signed in.'),
  UNAVAILABLE: t('The authorization server gave an error, or didn’t answer as it should. If it happens again, whoever manages the connection checks its client id, secret and scopes.'),
  INVALID: t('The connection can’t be signed in to like this: its settings don’t fit its server.'),
  RATE_LIMITED: t('Too many attempts. Wait a minute first.'),
  NOT_FOUND: t('There is no such connection, or you may not use it.'),
}

/** What became of a sign-in that the browser has come back from. */
export function Outcome({ name, again, busy }: { name?: string; again?: () => void; busy?: boolean }) {
  const [url, setUrl] = useUrl<{ connected: string; error: string; request: string }>()
  const dismiss = () => setUrl({ connected: undefined, error: undefined, request: undefined })
  if (url.connected) {
    return (
      <Notice tone="ok" alert title={name ? t('Signed in to {{name}}', { name }) : t('Signed in')} className="mb-4">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <p>{t('Its tools work from the next call on.')}</p>
          <Button size="sm" onClick={dismiss}>
            {t('Good')}
          </Button>
        </div>
      </Notice>
    )
  }
  if (!url.error) return null
  return (
    <Notice tone="bad" alert title={name ? t('Not signed in to {{name}}', { name }) : t('Not signed in')} className="mb-4">
      <p>{reasons[url.error] ?? t('Something went wrong on the way.')}</p>
      {url.request && (
        <p className="mt-1 flex flex-wrap items-center gap-1 text-xs text-muted">
          {t('Request')} <code className="font-mono">{url.request}</code>
          <CopyButton compact text={url.request} label={t('Copy request id')} />
        </p>
      )}
      <div className="mt-2 flex gap-2">
        {again && (
          <Button size="sm" busy={busy} onClick={again}>
            {t('Sign in again')}
          </Button>
        )}
        <Button size="sm" onClick={dismiss}>
          {t('Dismiss')}
        </Button>
      </div>
    </Notice>
  )
}
