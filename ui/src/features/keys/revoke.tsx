import { useState } from 'react'
import { useClient } from 'urql'
import { toFault } from '@/graphql/fault'
import { type KeyPartsFragment, KeyRevokeDocument } from '@/graphql/generated/graphql'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { toast } from '@/kit/toast'
import { ago } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'

export function RevokeKey({ apiKey, plane, onClose }: { apiKey: KeyPartsFragment; plane: Plane; onClose: () => void }) {
  const client = useClient()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const revoke = async () => {
    setBusy(true)
    const result = await client.mutation(KeyRevokeDocument, { input: { keyId: apiKey.id } })
    setBusy(false)
    const said = result.error ? toFault(result.error).message : result.data?.keyRevoke.errors[0]?.message
    if (said) return setError(said)
    toast(t('{{name}} is revoked', { name: apiKey.name }))
    onClose()
  }
  const effects = [
    t('Every call with it is refused within a second, running streams end.'),
    apiKey.lastUsedAt ? t('It was last used {{when}}.', { when: ago(apiKey.lastUsedAt) }) : t('It was never used.'),
    t('It can\'t be brought back; what it spent stays on the books.'),
  ]
  return (
    <Dialog open onClose={onClose} title={t('Revoke {{name}}?', { name: apiKey.name })} description={apiKey.prefix}>
      <ul className="list-disc space-y-1 ps-5">
        {effects.map((e) => (
          <li key={e}>{e}</li>
        ))}
      </ul>
      {error && (
        <p role="alert" className="mt-3 text-bad">
          {error}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>{t('Keep it')}</Button>
        <Button variant="danger" busy={busy} onClick={revoke}>
          {t('Revoke in {{plane}}', { plane: nameOf(plane) })}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
