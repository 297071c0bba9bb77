import { Link } from '@tanstack/react-router'
import { CircleCheck, CircleDashed } from 'lucide-react'
import { useState } from 'react'
import { SignInEnforceDocument, type SignInSettingsQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may, useViewer } from '@/graphql/viewer'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Notice } from '@/kit/notice'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { preconditions } from './state'

type Account = NonNullable<SignInSettingsQuery['account']>

/** The one switch that takes passwords away, with what it needs and what it does. */
export function Enforce({ account: a }: { account: Account }) {
  const viewer = useViewer()
  const [asking, setAsking] = useState(false)
  const needs = preconditions(a)
  const ready = needs.every((n) => n.met)
  const on = a.ssoEnforced ?? false
  const mayChange = may(a, 'signIn.configure')
  return (
    <Card className="mt-4">
      <CardHead title={t('Only by single sign-on')} note={on ? t('On: passwords work for admins of the account alone.') : t('Off: people sign in by password, or through an identity provider.')}>
        <Switch label={t('Let people in through identity providers alone')} checked={on} disabled={!mayChange || (!on && !ready)} onChange={() => setAsking(true)} />
      </CardHead>
      <ul className="border-t border-line px-4 py-3">
        {needs.map((n, i) => (
          <li key={n.text} className="flex min-h-7 items-center gap-2.5">
            {n.met ? <CircleCheck aria-hidden className="size-4 shrink-0 text-ok" /> : <CircleDashed aria-hidden className="size-4 shrink-0 text-muted" />}
            <span>
              {n.text} <span className={n.met ? 'sr-only' : 'text-muted'}>{n.met ? t('(done)') : t('(missing)')}</span>{' '}
              {i === 0 && !n.met && (
                <Link to="/a/$account/settings/domains" params={{ account: viewer.account.slug }} className="rounded-sm text-accent-text underline underline-offset-2">
                  {t('Claim a domain')}
                </Link>
              )}
            </span>
          </li>
        ))}
      </ul>
      {asking && <Ask account={a} on={!on} onClose={() => setAsking(false)} />}
    </Card>
  )
}

function Ask({ account: a, on, onClose }: { account: Account; on: boolean; onClose: () => void }) {
  const enforce = useMutate(SignInEnforceDocument)
  const [error, setError] = useState<string>()
  const domains = (a.domains?.edges ?? []).filter((e) => e.node.verified).map((e) => e.node.name)
  const run = async () => {
    const payload = await enforce.run({ input: { enforced: on } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(on ? t('People sign in through your identity provider alone') : t('People can sign in by password again'))
    onClose()
  }
  return (
    <Confirm
      danger={on}
      title={on ? t('Let people in through identity providers alone?') : t('Let people in by password again?')}
      action={on ? t('Enforce single sign-on') : t('Allow passwords')}
      busy={enforce.busy}
      fault={enforce.fault}
      error={error}
      onConfirm={run}
      onClose={onClose}
    >
      <ul className="list-disc space-y-1 ps-5">
        {on ? (
          <>
            <li>{t('Passwords of people who are no admins of the account are refused from now on.')}</li>
            <li>{t('Sessions that passwords opened end at once, but for those of admins.')}</li>
            <li>{t('Personal tokens and consents to programs end too, but for those of admins and of people who have signed in through a provider.')}</li>
            <li>{t('People whose address is at none of {{domains}} get in only if the provider knows them.', { domains: domains.join(', ') })}</li>
            <li>{t('Virtual keys and programs themselves are not touched.')}</li>
          </>
        ) : (
          <>
            <li>{t('Whoever has a password can use it again; others choose one by the link “Forgot password”.')}</li>
            <li>{t('Running sessions stay.')}</li>
          </>
        )}
      </ul>
      {on && <Notice title={t('The way back')}>{t('Admins of the account keep their passwords: if the provider fails, one of them signs in and switches this off. If none can, the people who run this Cockpit can break the glass.')}</Notice>}
    </Confirm>
  )
}
