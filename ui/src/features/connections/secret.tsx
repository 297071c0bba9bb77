import { Plus, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { type ConnectionAuth, type ConnectionCredentialOwner, type ConnectionKind, ConnectionSecretSetDocument, ConnectionSignInDocument, ConnectionSignOutDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { PasswordInput } from '@/kit/password'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

type Of = { id: string; name: string; kind: ConnectionKind; auth: ConnectionAuth; credential: ConnectionCredentialOwner; authName?: string }

/** A secret as it is typed in; its value leaves the page once. */
export type Secret = { value: string; user: string; environment: { name: string; value: string }[] }

export const noSecret: Secret = { value: '', user: '', environment: [{ name: '', value: '' }] }

export const secretInput = (of: Pick<Of, 'kind' | 'auth'>, s: Secret) =>
  of.kind === 'MCP_STDIO' ? { environment: s.environment.filter((v) => v.name.trim()).map((v) => ({ name: v.name.trim(), value: v.value })) } : { value: s.value.trim(), user: of.auth === 'BASIC' ? s.user.trim() : undefined }

export const secretGiven = (of: Pick<Of, 'kind'>, s: Secret) => (of.kind === 'MCP_STDIO' ? s.environment.some((v) => v.name.trim() && v.value) : s.value.trim() !== '')

/** Of a short secret nothing is told but that it is set. */
export const tells = (hint: string | null | undefined): hint is string => Boolean(hint) && hint !== 'set'

type FieldsProps = { of: Pick<Of, 'kind' | 'auth' | 'authName'>; secret: Secret; onChange: (s: Secret) => void; errors: Record<string, string>; required?: boolean; autoFocus?: boolean }

export function SecretFields({ of, secret, onChange, errors, required, autoFocus }: FieldsProps) {
  const wrong = errors.secret ?? errors.value
  if (of.kind === 'COMPOSIO') {
    return (
      <Field label={t('API key')} required={required} error={wrong} hint={t('From the settings of the project at Composio. Kept sealed; its last four characters are shown at most.')}>
        {(wiring) => <PasswordInput {...wiring} value={secret.value} onChange={(e) => onChange({ ...secret, value: e.target.value })} autoComplete="new-password" autoFocus={autoFocus} />}
      </Field>
    )
  }
  if (of.kind === 'MCP_STDIO') {
    const put = (at: number, patch: Partial<Secret['environment'][number]>) => onChange({ ...secret, environment: secret.environment.map((v, i) => (i === at ? { ...v, ...patch } : v)) })
    return (
      <div className="flex flex-col gap-2">
        <p className="text-sm font-medium">{t('Variables that the program is started with')}</p>
        {Array.from(secret.environment.entries(), ([at, v]) => (
          <div key={at} className="flex items-start gap-2">
            <Input aria-label={t('Name of variable {{n}}', { n: at + 1 })} value={v.name} onChange={(e) => put(at, { name: e.target.value })} placeholder="TOKEN" spellCheck={false} className="font-mono" />
            <PasswordInput aria-label={t('Value of variable {{n}}', { n: at + 1 })} value={v.value} onChange={(e) => put(at, { value: e.target.value })} autoComplete="new-password" />
            <Button variant="ghost" size="icon" aria-label={t('Remove variable {{n}}', { n: at + 1 })} disabled={secret.environment.length === 1} onClick={() => onChange({ ...secret, environment: secret.environment.filter((_, i) => i !== at) })}>
              <Trash2 aria-hidden />
            </Button>
          </div>
        ))}
        <Button size="sm" className="self-start" onClick={() => onChange({ ...secret, environment: [...secret.environment, { name: '', value: '' }] })}>
          <Plus aria-hidden /> {t('Another variable')}
        </Button>
        {(errors.environment ?? wrong) && (
          <p role="alert" className="text-xs text-bad">
            {errors.environment ?? wrong}
          </p>
        )}
      </div>
    )
  }
  return (
    <>
      {of.auth === 'BASIC' && (
        <Field label={t('User name')} required={required} error={errors.user}>
          {(wiring) => <Input {...wiring} value={secret.user} onChange={(e) => onChange({ ...secret, user: e.target.value })} autoComplete="off" spellCheck={false} autoFocus={autoFocus} />}
        </Field>
      )}
      <Field label={of.auth === 'BASIC' ? t('Password') : of.auth === 'HEADER' ? t('Key') : t('Token')} required={required} error={wrong} hint={of.auth === 'HEADER' && of.authName ? t('Sent as {{name}}. Kept sealed; its last four characters are shown at most.', { name: of.authName }) : t('Kept sealed; its last four characters are shown at most.')}>
        {(wiring) => <PasswordInput {...wiring} value={secret.value} onChange={(e) => onChange({ ...secret, value: e.target.value })} autoComplete="new-password" autoFocus={autoFocus && of.auth !== 'BASIC'} />}
      </Field>
    </>
  )
}

/** Whether what is typed in is one's own; Composio's API key is for all. */
export const ownSecret = (of: Pick<Of, 'kind' | 'credential'>) => of.credential === 'PERSONAL' && of.kind !== 'COMPOSIO'

/** Sets what a connection signs in with: one's own, or the one for all. */
export function SetSecret({ of, onClose, onSet }: { of: Of; onClose: () => void; onSet?: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionSecretSetDocument)
  const [secret, setSecret] = useState(noSecret)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const own = ownSecret(of)
  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!secretGiven(of, secret)) return setErrors({ secret: t('Enter it first.') })
    const payload = await run({ input: { connectionId: of.id, ...secretInput(of, secret) } })
    if (!payload) return
    if (payload.errors[0]) return setErrors(byField(payload.errors))
    toast(own ? t('{{name}} works in your name now', { name: of.name }) : t('{{name}} signs in with it from now on', { name: of.name }))
    onSet?.()
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={own ? t('Your own key of {{name}}', { name: of.name }) : t('What {{name}} signs in with', { name: of.name })} description={own ? t('Used for your own calls alone, never for anybody else.') : of.kind === 'COMPOSIO' ? t('The API key is used for everybody. It replaces the one that is there; where all share an account, link that anew afterwards.') : t('Used for everybody who may call its tools. It replaces the one that is there.')}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <SecretFields of={of} secret={secret} onChange={setSecret} errors={errors} required autoFocus />
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Keep it')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** Leads to a connection's authorization server; the browser comes back to `returnTo`. */
export function useSignIn() {
  const { run, busy, fault } = useMutate(ConnectionSignInDocument)
  const [refusal, setRefusal] = useState<string>()
  const signIn = async (connectionId: string, returnTo: string) => {
    setRefusal(undefined)
    const payload = await run({ input: { connectionId, returnTo } })
    if (!payload) return
    if (payload.url) location.assign(payload.url)
    else setRefusal(payload.errors[0]?.message ?? t('It was refused.'))
  }
  return { signIn, busy, fault: fault ?? (refusal ? { code: 'REFUSED', message: refusal } : undefined) }
}

/** Forgets what one signed in with. */
export function SignOut({ of, onClose }: { of: Of; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionSignOutDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await run({ input: { connectionId: of.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('What {{name}} signed in with is forgotten', { name: of.name }))
    onClose()
  }
  return (
    <Confirm
      title={t('Sign out of {{name}}?', { name: of.name })}
      description={of.credential === 'PERSONAL' ? t('Your calls of its tools are refused until you sign in again. Others go on.') : t('Everybody’s calls of its tools are refused until somebody in charge signs it in again.')}
      action={t('Sign out')}
      keep={t('Stay signed in')}
      busy={busy}
      error={error}
      fault={fault}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  )
}
