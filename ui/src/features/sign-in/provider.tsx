import { Ban, FlaskConical, MoreHorizontal, Pencil, Play, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { IdentityProviderDeleteDocument, type IdentityPartsFragment, IdentityProviderUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button, buttonClass } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { Facts } from '@/kit/facts'
import { Menu, MenuItem } from '@/kit/menu'
import { Notice } from '@/kit/notice'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Mappings } from './mappings'
import { activatable, sentence, statusLook } from './state'

type Props = { provider: IdentityPartsFragment; enforced: boolean; /** Somebody has just come back from a test of it. */ tested: boolean; onSeen: () => void; onEdit: () => void }

export function Provider({ provider: p, enforced, tested, onSeen, onEdit }: Props) {
  const update = useMutate(IdentityProviderUpdateDocument)
  const [asking, setAsking] = useState<'disable' | 'delete'>()
  const [error, setError] = useState<string>()
  const mayChange = may(p, 'signIn.configure')
  const set = async (status: IdentityPartsFragment['status'], done: string) => {
    setError(undefined)
    const payload = await update.run({ input: { identityProviderId: p.id, status, expectedVersion: p.version } })
    if (!payload) return
    if (payload.errors.length > 0) return setError(Object.values(byField(payload.errors))[0])
    toast(done)
    setAsking(undefined)
    onSeen()
  }
  const activate = () => set('ACTIVE', t('People can sign in through {{name}} now', { name: p.name }))
  return (
    <Card className={cx(tested && 'border-accent')}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3 px-4 pt-3.5 pb-3">
        <div className="min-w-0 grow basis-64">
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="text-base font-semibold">{p.name}</span>
            <Badge tone={statusLook[p.status].tone}>{statusLook[p.status].label}</Badge>
            <Tested provider={p} />
          </p>
          <p className="truncate text-xs text-muted">{p.issuer}</p>
        </div>
        {mayChange && (
          <div className="flex flex-wrap gap-1.5">
            <a href={p.testUrl} className={buttonClass({ size: 'sm', variant: p.testedAt && !p.testError ? 'secondary' : 'primary' })}>
              <FlaskConical aria-hidden /> {t('Test sign-in')}
            </a>
            {p.status === 'ACTIVE' ? (
              <Button size="sm" onClick={() => setAsking('disable')}>
                <Ban aria-hidden /> {t('Disable')}
              </Button>
            ) : (
              <Button size="sm" variant={activatable(p) ? 'primary' : 'secondary'} disabled={!activatable(p)} busy={update.busy && !asking} onClick={activate} title={activatable(p) ? undefined : t('Test it first.')}>
                <Play aria-hidden /> {t('Activate')}
              </Button>
            )}
            <Menu
              trigger={
                <Button variant="ghost" size="icon" aria-label={t('Actions for {{name}}', { name: p.name })}>
                  <MoreHorizontal aria-hidden />
                </Button>
              }
            >
              <MenuItem onClick={onEdit}>
                <Pencil aria-hidden /> {t('Change')}
              </MenuItem>
              <MenuItem danger onClick={() => setAsking('delete')}>
                <Trash2 aria-hidden /> {t('Delete')}
              </MenuItem>
            </Menu>
          </div>
        )}
      </div>
      <div aria-live="polite" className="px-4 empty:hidden">
        {tested &&
          (p.testError ? (
            <Notice tone="bad" className="mb-3" title={t('The test went wrong')}>
              {sentence(p.testError)} {t('Nobody was changed. Put it right here or at the provider, and test again.')}
            </Notice>
          ) : (
            <Notice tone="ok" className="mb-3" title={t('The test passed: somebody went all the way through it')}>
              {p.status === 'ACTIVE' ? t('Nobody was changed.') : t('Nobody was changed. Activate it to let people in.')}
            </Notice>
          ))}
        {!tested && p.testError && (
          <Notice tone="warn" className="mb-3" title={t('The newest test went wrong')}>
            {sentence(p.testError)}
          </Notice>
        )}
        {error && !asking && (
          <p role="alert" className="mb-3 text-bad">
            {error}
          </p>
        )}
        {update.fault && !asking && (
          <div className="mb-3">
            <ErrorBar fault={update.fault} />
          </div>
        )}
      </div>
      <div className="grid gap-x-8 gap-y-5 border-t border-line px-4 py-4 lg:grid-cols-[22rem_1fr]">
        <Facts
          facts={[
            [t('Client id'), <code key="c" className="font-mono text-xs break-all">{p.clientId}</code>],
            [t('Client secret'), p.secretHint ? <code key="s" className="font-mono text-xs">{`•••• ${p.secretHint}`}</code> : t('None: PKCE alone')],
            [
              t('Redirect'),
              <span key="r" className="flex min-w-0 items-center gap-1">
                <code className="min-w-0 truncate font-mono text-xs" title={p.callbackUrl}>
                  {p.callbackUrl}
                </code>
                <CopyButton compact text={p.callbackUrl} label={t('Copy the redirect address')} />
              </span>,
            ],
            [t('New people'), p.justInTime ? t('Get a user when they first sign in') : t('Only those who were invited')],
          ]}
        />
        <Mappings provider={p} mayChange={mayChange} />
      </div>
      {asking === 'disable' && (
        <Confirm title={t('Disable {{name}}?', { name: p.name })} action={t('Disable provider')} keep={t('Keep it')} busy={update.busy} fault={update.fault} error={error} onConfirm={() => set('DISABLED', t('{{name}} is disabled', { name: p.name }))} onClose={() => setAsking(undefined)}>
          <ul className="list-disc space-y-1 ps-5">
            <li>{t('Whoever signed in through it is signed out within a second.')}</li>
            <li>{t('Nobody signs in through it until it is activated again.')}</li>
            {enforced && <li>{t('Single sign-on is enforced: the last active provider has to stay.')}</li>}
          </ul>
        </Confirm>
      )}
      {asking === 'delete' && <DeleteProvider provider={p} onClose={() => setAsking(undefined)} />}
    </Card>
  )
}

function Tested({ provider: p }: { provider: IdentityPartsFragment }) {
  if (p.testError) return <Badge tone="bad">{t('Test failed')}</Badge>
  if (!p.testedAt) return <Badge tone="warn">{t('Not tested as it is')}</Badge>
  return (
    <time className="text-xs text-muted" title={utc(p.testedAt)}>
      {t('Tested {{when}}', { when: ago(p.testedAt) })}
    </time>
  )
}

function DeleteProvider({ provider: p, onClose }: { provider: IdentityPartsFragment; onClose: () => void }) {
  const drop = useMutate(IdentityProviderDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { identityProviderId: p.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: p.name }))
    onClose()
  }
  return (
    <Confirm title={t('Delete {{name}}?', { name: p.name })} action={t('Delete provider')} keep={t('Keep it')} type={p.name} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Whoever signed in through it is signed out within a second.')}</li>
        <li>{t('What it knew of people is forgotten: they have to be known anew by another provider.')}</li>
        <li>{t('Its group mappings go; seats and roles that they gave stay.')}</li>
      </ul>
    </Confirm>
  )
}
