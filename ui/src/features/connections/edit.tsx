import { type FormEvent, useState } from 'react'
import { type ConnectionPartsFragment, ConnectionUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { DialogActions, Sheet } from '@/kit/dialog'
import { Notice } from '@/kit/notice'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { type Draft, draftOf, forgets, mistakes, refusals, updateInput } from './draft'
import { AuthFields, PlaceFields } from './fields'

/** Changes where a connection leads and how it signs in; says beforehand when people must sign in anew. */
export function EditConnection({ connection: c, onClose }: { connection: ConnectionPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionUpdateDocument)
  const [draft, setDraft] = useState(() => draftOf(c))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const set = (patch: Partial<Draft>) => setDraft((d) => ({ ...d, ...patch }))
  const anew = forgets(draft, c) && (c.auth !== 'NONE' || c.kind === 'MCP_STDIO')
  const renamed = draft.name.trim() !== c.name
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const found = { ...mistakes(draft, 'place', true), ...mistakes(draft, 'auth', true) }
    setErrors(found)
    if (Object.keys(found).length > 0) return
    const payload = await run({ input: updateInput(draft, c) })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(refusals(payload.errors))
    toast(t('{{name}} is changed', { name: draft.name }))
    onClose()
  }
  const whole = errors[''] ?? errors.expectedVersion ?? errors.kind
  return (
    <Sheet open onClose={onClose} className="max-w-xl" title={t('Edit {{name}}', { name: c.name })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <PlaceFields draft={draft} set={set} errors={errors} editing />
        <hr className="border-line" />
        <AuthFields draft={draft} set={set} errors={errors} />
        {c.oauth?.clientSecretHint && draft.auth === 'OAUTH' && <p className="text-xs text-muted">{t('The client’s secret ends in {{hint}}; left empty, it stays.', { hint: c.oauth.clientSecretHint })}</p>}
        {renamed && (
          <Notice tone="warn" title={t('Its tools get other names')}>
            {t('Programs that call {{name}} don’t find it any more.', { name: `${c.name}__…` })}
          </Notice>
        )}
        {anew && (
          <Notice tone="warn" title={t('Everybody signs in anew')}>
            {c.kind === 'COMPOSIO' ? t('It leads elsewhere, or to other accounts. The API key and linked accounts are forgotten: set the key again after saving.') : t('It leads or signs in elsewhere then. Credentials were given for what was before, so they are forgotten.')}
          </Notice>
        )}
        {(fault || whole) && <ErrorBar fault={fault ?? { code: 'INVALID', message: whole! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Save in Copilot')}
          </Button>
        </DialogActions>
      </form>
    </Sheet>
  )
}
