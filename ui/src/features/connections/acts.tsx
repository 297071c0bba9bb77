import { Ellipsis, Power, Trash2, Unplug } from 'lucide-react'
import { useState } from 'react'
import { ConnectionDeleteDocument, ConnectionDisconnectAllDocument, type ConnectionPartsFragment, ConnectionUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Menu, MenuItem, MenuLine } from '@/kit/menu'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

type Act = 'status' | 'disconnect' | 'delete'

type Props = { connection: ConnectionPartsFragment; onGone: () => void }

/** What else can be done with a connection: all of it is felt by others. */
export function Acts({ connection: c, onGone }: Props) {
  const [act, setAct] = useState<Act>()
  const close = () => setAct(undefined)
  const [updates, deletes] = [may(c, 'connection.update'), may(c, 'connection.delete')]
  if (!updates && !deletes) return null
  return (
    <>
      <Menu
        trigger={
          <Button size="sm" aria-label={t('More')}>
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        {updates && (
          <MenuItem onClick={() => setAct('status')}>
            <Power aria-hidden /> {c.status === 'ACTIVE' ? t('Switch off') : t('Switch on')}
          </MenuItem>
        )}
        {updates && (c.auth !== 'NONE' || c.kind === 'MCP_STDIO') && (
          <MenuItem onClick={() => setAct('disconnect')}>
            <Unplug aria-hidden /> {t('Disconnect everyone')}
          </MenuItem>
        )}
        {deletes && (
          <>
            <MenuLine />
            <MenuItem danger onClick={() => setAct('delete')}>
              <Trash2 aria-hidden /> {t('Delete')}
            </MenuItem>
          </>
        )}
      </Menu>
      {act === 'status' && <Status connection={c} onClose={close} />}
      {act === 'disconnect' && <Disconnect connection={c} onClose={close} />}
      {act === 'delete' && <Delete connection={c} onClose={close} onGone={onGone} />}
    </>
  )
}

function Status({ connection: c, onClose }: { connection: ConnectionPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionUpdateDocument)
  const [error, setError] = useState<string>()
  const on = c.status !== 'ACTIVE'
  const confirm = async () => {
    const payload = await run({ input: { connectionId: c.id, status: on ? 'ACTIVE' : 'DISABLED', expectedVersion: c.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(on ? t('{{name}} is switched on', { name: c.name }) : t('{{name}} is switched off', { name: c.name }))
    onClose()
  }
  return (
    <Confirm
      title={on ? t('Switch {{name}} on?', { name: c.name }) : t('Switch {{name}} off?', { name: c.name })}
      description={on ? t('Its approved tools can be called again by whom they are allowed to.') : t('Calls of its {{count}} approved tools are refused from now on. Approvals, credentials and access stay as they are.', { count: c.toolCounts.approved })}
      action={on ? t('Switch on in Copilot') : t('Switch off in Copilot')}
      danger={!on}
      busy={busy}
      error={error}
      fault={fault}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  )
}

function Disconnect({ connection: c, onClose }: { connection: ConnectionPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionDisconnectAllDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await run({ input: { connectionId: c.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('Nobody is signed in to {{name}} any more', { name: c.name }))
    onClose()
  }
  return (
    <Confirm title={t('Disconnect everyone from {{name}}?', { name: c.name })} description={t('It can’t be taken back.')} action={t('Disconnect everyone')} type={c.name} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose}>
      <ul className="list-disc ps-5 marker:text-muted">
        <li>{c.credential === 'SHARED' ? t('The one credential for all is forgotten.') : t('What each person signed in with is forgotten, for all of them.')}</li>
        <li>{t('Running calls and sessions end at once.')}</li>
        <li>{t('Its tools are refused until somebody signs in again.')}</li>
        <li>{t('The keys still hold at the server itself: revoke them there where they may have leaked.')}</li>
      </ul>
    </Confirm>
  )
}

function Delete({ connection: c, onClose, onGone }: Props & { onClose: () => void }) {
  const { run, busy, fault } = useMutate(ConnectionDeleteDocument)
  const [error, setError] = useState<string>()
  const { approved, pending, changed, missing } = c.toolCounts
  const confirm = async () => {
    const payload = await run({ input: { connectionId: c.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: c.name }))
    onGone()
  }
  return (
    <Confirm title={t('Delete {{name}}?', { name: c.name })} description={t('It can’t be taken back.')} action={t('Delete in Copilot')} type={c.name} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose}>
      <ul className="list-disc ps-5 marker:text-muted">
        <li>{t('Its {{count}} tools go; {{approved}} of them can be called today.', { count: approved + pending + changed + missing, approved })}</li>
        <li>{t('What was granted of it and of its tools goes, and agents lose them.')}</li>
        <li>{t('Everybody’s credentials for it are forgotten.')}</li>
        <li>{t('What was spent and logged stays on the books.')}</li>
      </ul>
    </Confirm>
  )
}
