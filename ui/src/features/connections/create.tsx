import { useState } from 'react'
import { ConnectionCreateDocument, ConnectionDiscoverDocument, type ConnectionPartsFragment, ConnectionSecretSetDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { ErrorBar } from '@/kit/state'
import { Steps } from '@/kit/steps'
import { t } from '@/lib/i18n'
import { type PlaceItem, PlacePicker } from '@/features/roles'
import { createInput, type Draft, empty, mistakes, ofKind, refusals, takesSecret } from './draft'
import { AuthFields, PlaceFields } from './fields'
import { KindCards, useKinds } from './kinds'
import { Offered } from './offered'
import { noSecret, ownSecret, SecretFields, secretGiven, secretInput, useSignIn } from './secret'

const owners: readonly ScopeKind[] = ['COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER']

const steps = [t('Kind'), t('Where it leads'), t('Sign-in'), t('Tools')]

/** Fields that the server names, by the step that has them. */
const placeFields = new Set(['name', 'description', 'icon', 'url', 'document', 'documentUrl', 'command', 'toolkit'])

type Props = { onClose: () => void; onOpen: (id: string) => void }

/** Connects a source of tools in four steps, the last of which is what it offers. */
export function CreateConnection({ onClose, onOpen }: Props) {
  const [at, setAt] = useState(0)
  const [draft, setDraft] = useState(empty)
  const [secret, setSecret] = useState(noSecret)
  const [owner, setOwner] = useState<PlaceItem | null>(null)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [made, setMade] = useState<ConnectionPartsFragment>()
  const [failed, setFailed] = useState<string>()
  const create = useMutate(ConnectionCreateDocument, { once: true })
  const setting = useMutate(ConnectionSecretSetDocument)
  const discover = useMutate(ConnectionDiscoverDocument)
  const { kinds, asking, fault: unknown } = useKinds(owner?.value)
  // What may not be made at a place isn't left chosen there.
  const kind = (kinds.find((k) => k.kind === draft.kind && !k.reason) ?? kinds.find((k) => !k.reason))?.kind
  const set = (patch: Partial<Draft>) => setDraft((d) => ({ ...d, ...patch }))
  const busy = create.busy || setting.busy || discover.busy

  const look = async (c: ConnectionPartsFragment) => {
    setFailed(undefined)
    const payload = await discover.run({ input: { connectionId: c.id } })
    if (payload?.connection) setMade(payload.connection)
    else setFailed(payload?.errors[0]?.message)
  }
  const connect = async () => {
    const payload = await create.run({ input: createInput(draft, owner!.value) })
    if (!payload) return
    if (!payload.connection) {
      const found = refusals(payload.errors)
      setErrors(found)
      if (found.scopeId) setAt(0)
      else if (Object.keys(found).some((k) => placeFields.has(k))) setAt(1)
      return
    }
    const c = payload.connection
    setMade(c)
    setAt(3)
    if (takesSecret(draft) && secretGiven(draft, secret)) {
      const set = await setting.run({ input: { connectionId: c.id, ...secretInput(draft, secret) } })
      if (set?.errors[0]) return setFailed(set.errors[0].message)
      if (set) await look(c)
    } else if (draft.kind === 'MCP_STDIO') await look(c)
  }
  const next = () => {
    if (at === 0) {
      setErrors(owner ? {} : { scopeId: t('Choose whose it is.') })
      if (!owner || !kind) return
      if (kind !== draft.kind) set(ofKind(draft, kind))
      return setAt(1)
    }
    if (at === 1) {
      const found = mistakes(draft, 'place')
      setErrors(found)
      if (Object.keys(found).length === 0) setAt(2)
      return
    }
    const found = mistakes(draft, 'auth')
    setErrors(found)
    if (Object.keys(found).length === 0) void connect()
  }
  const whole = errors[''] ?? errors.kind

  if (made && at === 3) {
    return (
      <Dialog open onClose={onClose} title={t('{{name}} is connected', { name: made.name })} description={t('Tools are called once they are approved, by those whom they are allowed to.')} className="max-w-2xl">
        <Steps steps={steps} at={3} />
        <div className="flex flex-col gap-4">
          {failed && <ErrorBar fault={{ code: 'INVALID', message: failed }} />}
          {(setting.fault ?? discover.fault) && <ErrorBar fault={(setting.fault ?? discover.fault)!} />}
          {busy ? <p className="py-8 text-center text-muted">{t('Looking at what it offers…')}</p> : <After made={made} onLook={() => void look(made)} onOpen={() => onOpen(made.id)} />}
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog open onClose={onClose} title={t('New connection')} description={t('A source of tools: nothing of it can be called until you approve it.')} className="max-w-2xl">
      <Steps steps={steps} at={at} />
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          next()
        }}
      >
        {at === 0 && (
          <>
            <Field label={t('Belongs to')} required error={errors.scopeId} hint={owner?.kind === 'MEMBER' ? t('Whoever has that seat approves the tools and uses them; others only where an admin allows it.') : t('Its admins approve the tools and hand them out. Who may use them is decided by access.')}>
              {(wiring) => <PlacePicker {...wiring} plane="COPILOT" action="connection.create" kinds={owners} value={owner} onChange={setOwner} placeholder={t('Copilot, organization, team or user')} />}
            </Field>
            <KindCards kinds={kinds} value={kind} onChange={(k) => set(ofKind(draft, k))} />
            {unknown && <ErrorBar fault={unknown} />}
          </>
        )}
        {at === 1 && <PlaceFields draft={draft} set={set} errors={errors} />}
        {at === 2 && (
          <>
            <AuthFields draft={draft} set={set} errors={errors} />
            {takesSecret(draft) && (
              <div className="flex flex-col gap-4 rounded-lg border border-line p-4">
                <p className="text-sm text-muted">
                  {draft.kind === 'COMPOSIO'
                    ? t('One for all, set by whoever manages the connection. You can also give it later. Until then Cockpit can’t look at what it offers.')
                    : ownSecret(draft)
                      ? t('Your own, so that Cockpit can look at what it offers. You can also give it later.')
                      : t('You can also give it later. Until then Cockpit can’t look at what it offers.')}
                </p>
                <SecretFields of={draft} secret={secret} onChange={setSecret} errors={errors} />
              </div>
            )}
          </>
        )}
        {(create.fault || whole) && <ErrorBar fault={create.fault ?? { code: 'INVALID', message: whole! }} />}
        <DialogActions>
          {at > 0 && <Button onClick={() => setAt(at - 1)}>{t('Back')}</Button>}
          <span className="grow" />
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy || (at === 0 && asking)}>
            {at < 2 ? t('Continue') : t('Connect in Copilot')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** What comes once it is there: somebody signs in, or its tools are looked at. */
function After({ made, onLook, onOpen }: { made: ConnectionPartsFragment; onLook: () => void; onOpen: () => void }) {
  const { signIn, busy, fault } = useSignIn()
  const there = `${location.pathname.startsWith('/me') ? '/me' : location.pathname.replace(/\/connections.*/, '')}/connections/${made.id}`
  if (made.auth === 'OAUTH' && !made.signedIn.ready) {
    return (
      <>
        <Notice title={t('Somebody signs in first')}>{made.credential === 'SHARED' ? t('Sign it in, for all. Then Cockpit looks at what it offers.') : t('Sign in for yourself. Then Cockpit looks at what it offers; the others sign in when they use it.')}</Notice>
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onOpen}>{t('Later')}</Button>
          <Button variant="primary" busy={busy} onClick={() => void signIn(made.id, there)}>
            {t('Sign in now')}
          </Button>
        </DialogActions>
      </>
    )
  }
  if (made.health.error || !made.health.checkedAt) {
    return (
      <>
        <Notice tone="warn" title={made.health.error ? t('It doesn’t answer as it should') : t('Nobody has looked at it yet')}>
          {made.health.error ?? t('Give it its credential, then look at what it offers.')}
        </Notice>
        <DialogActions>
          {made.health.error && <Button onClick={onLook}>{t('Look again')}</Button>}
          <Button variant="primary" onClick={onOpen}>
            {t('Open the connection')}
          </Button>
        </DialogActions>
      </>
    )
  }
  return <Offered connection={made} approves={may(made, 'tool.approve')} onDone={onOpen} />
}
