import { Link } from '@tanstack/react-router'
import { AppWindow, Check, CircleAlert } from 'lucide-react'
import { useState } from 'react'
import { useClient } from 'urql'
import { AuthorizationApproveDocument, AuthorizationRequestDocument, type AuthorizationRequestQuery, SessionEndDocument } from '@/graphql/generated/graphql'
import { toFault, type Fault } from '@/graphql/fault'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button, buttonClass } from '@/kit/button'
import { Gate, GateHead } from '@/kit/gate'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { type Parameters, refusalUrl, toRequest } from './request'

type Props = { parameters: Parameters; /** Signs out and comes back here. */ onOther: () => void }

/** Where a program asks somebody to let it act for them. */
export function AuthorizePage({ parameters, onOther }: Props) {
  const { data, loading, fault, retry } = useRead(AuthorizationRequestDocument, { input: toRequest(parameters) })
  const title = t('Allow a program')
  // Signed out: on the way to the sign-in page, and back.
  const waiting = loading || fault?.code === 'UNAUTHENTICATED'
  const refused = fault && fault.code !== 'UNAUTHENTICATED'
  const broken = refused && (fault.code === 'BAD_INPUT' || fault.code === 'INVALID' || fault.code === 'NOT_FOUND')
  return (
    <Gate title={title}>
      {waiting && !data && <SkeletonBlock className="h-80" />}
      {refused && !broken && <ErrorBar fault={fault} retry={retry} />}
      {(broken || (data && !data.authorizationRequest && !refused)) && (
        <div className="-m-6">
          <Empty
            page
            icon={<CircleAlert aria-hidden />}
            title={t('This request is not valid')}
            action={
              <Link to="/" className={buttonClass()}>
                {t('Go to Cockpit')}
              </Link>
            }
          >
            <p>{fault?.message ?? t("The program isn't known here, or may not ask this way.")}</p>
            <p className="mt-1">{t('Nothing was allowed, and you were sent nowhere. Tell the people who make the program.')}</p>
            {fault?.requestId && <code className="mt-2 block font-mono text-xs">{fault.requestId}</code>}
          </Empty>
        </div>
      )}
      {data?.authorizationRequest && !refused && <Consent request={data.authorizationRequest} viewer={data.viewer} parameters={parameters} onOther={onOther} />}
    </Gate>
  )
}

type ConsentProps = Props & { request: NonNullable<AuthorizationRequestQuery['authorizationRequest']>; viewer: AuthorizationRequestQuery['viewer'] }

function Consent({ request: r, viewer, parameters, onOther }: ConsentProps) {
  const client = useClient()
  const approve = useMutate(AuthorizationApproveDocument)
  const [leaving, setLeaving] = useState(false)
  const [refusal, setRefusal] = useState<Fault>()
  const allow = async () => {
    setRefusal(undefined)
    const payload = await approve.run({ input: { request: toRequest(parameters) } })
    if (!payload) return
    const back = payload.redirectUrl && URL.parse(payload.redirectUrl)
    if (!back || !/^https?:$/.test(back.protocol)) return setRefusal({ code: 'INVALID', message: payload.errors[0]?.message ?? t('The request was refused.') })
    setLeaving(true)
    location.assign(back)
  }
  const deny = () => {
    const back = refusalUrl(parameters, location.origin)
    if (!back) return
    setLeaving(true)
    location.assign(back)
  }
  const other = async () => {
    const result = await client.mutation(SessionEndDocument, {})
    if (result.error) setRefusal(toFault(result.error))
    else onOther()
  }
  return (
    <>
      <div className="mb-4 flex items-start gap-3">
        <span aria-hidden className="flex size-10 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent-text [&_svg]:size-5">
          <AppWindow />
        </span>
        <div className="-mb-5 min-w-0">
          <GateHead title={t('Let {{program}} act for you?', { program: r.clientName })}>{r.clientDescription}</GateHead>
        </div>
      </div>
      <h2 className="mt-5 mb-2 text-sm font-semibold">{t('It may then, never more than you yourself:')}</h2>
      <ul className="mb-4 flex flex-col gap-2">
        {r.permissions.map((p) => (
          <li key={p.name} className="flex items-start gap-2.5">
            <Check aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
            <span className="min-w-0">
              {p.about} <code className="font-mono text-xs break-words text-muted">{p.name}</code>
            </span>
          </li>
        ))}
      </ul>
      <dl className="mb-5 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-lg border border-line bg-bg px-3.5 py-2.5">
        <dt className="text-muted">{t('In')}</dt>
        <dd className="min-w-0">{t('{{planes}} of {{account}}', { planes: r.planes.map(nameOf).join(', '), account: viewer.account.name })}</dd>
        <dt className="text-muted">{t('Then to')}</dt>
        <dd className="min-w-0 font-medium break-all">{r.redirectHost}</dd>
        <dt className="text-muted">{t('As')}</dt>
        <dd className="min-w-0 break-words">
          {viewer.user?.email}{' '}
          <button type="button" onClick={other} className="min-h-6 rounded-sm font-medium text-accent-text underline-offset-4 hover:underline">
            {t("Not you?")}
          </button>
        </dd>
      </dl>
      {r.known && <p className="mb-4 text-muted">{t('You have allowed it all of this before.')}</p>}
      {(approve.fault ?? refusal) && (
        <div className="mb-4">
          <ErrorBar fault={(approve.fault ?? refusal)!} />
        </div>
      )}
      <div className="grid grid-cols-2 gap-2">
        <Button onClick={deny} disabled={leaving}>
          {t('Deny')}
        </Button>
        <Button variant="primary" onClick={allow} busy={approve.busy || leaving}>
          {t('Allow')}
        </Button>
      </div>
      <p className="mt-4 text-xs text-muted">{t('You can withdraw this at any time on your profile.')}</p>
    </>
  )
}
