import { Copy, Ellipsis, Pause, Play, Trash2, UserRoundPen } from 'lucide-react'
import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { AgentDeleteDocument, AgentDuplicateDocument, type AgentPartsFragment, AgentPauseDocument, AgentResumeDocument, AgentRetireDocument, AgentTransferDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Menu, MenuItem, MenuLine } from '@/kit/menu'
import type { Item } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { type PlaceItem, PlacePicker } from '@/features/roles'
import { UserPicker } from '@/features/users'

type Act = 'pause' | 'resume' | 'retire' | 'duplicate' | 'transfer' | 'delete'

type Props = { agent: AgentPartsFragment; onOpen: (id: string) => void; onGone: () => void }

/** What else can be done with an agent. */
export function Acts({ agent, onOpen, onGone }: Props) {
  const [act, setAct] = useState<Act>()
  const close = () => setAct(undefined)
  const pauses = may(agent, 'agent.pause')
  return (
    <>
      <Menu
        trigger={
          <Button size="sm" aria-label={t('More')}>
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        {pauses && agent.availability === 'ACTIVE' && (
          <MenuItem onClick={() => setAct('pause')}>
            <Pause aria-hidden /> {t('Pause')}
          </MenuItem>
        )}
        {pauses && agent.availability !== 'ACTIVE' && (
          <MenuItem onClick={() => setAct('resume')}>
            <Play aria-hidden /> {t('Let calls through again')}
          </MenuItem>
        )}
        {pauses && agent.availability !== 'RETIRED' && (
          <MenuItem onClick={() => setAct('retire')}>
            <Pause aria-hidden /> {t('Retire')}
          </MenuItem>
        )}
        {may(agent, 'agent.read') && (
          <MenuItem onClick={() => setAct('duplicate')}>
            <Copy aria-hidden /> {t('Duplicate')}
          </MenuItem>
        )}
        {may(agent, 'agent.transfer') && (
          <MenuItem onClick={() => setAct('transfer')}>
            <UserRoundPen aria-hidden /> {t('Hand over')}
          </MenuItem>
        )}
        {may(agent, 'agent.delete') && (
          <>
            <MenuLine />
            <MenuItem danger onClick={() => setAct('delete')}>
              <Trash2 aria-hidden /> {t('Delete')}
            </MenuItem>
          </>
        )}
      </Menu>
      {(act === 'pause' || act === 'resume' || act === 'retire') && <State agent={agent} act={act} onClose={close} />}
      {act === 'duplicate' && <Duplicate agent={agent} onClose={close} onOpen={onOpen} />}
      {act === 'transfer' && <Transfer agent={agent} onClose={close} />}
      {act === 'delete' && <Delete agent={agent} onClose={close} onGone={onGone} />}
    </>
  )
}

const words = {
  pause: { title: t('Pause it?'), about: t('Calls are refused from now on. Those who use it still see it.'), action: t('Pause in Copilot') },
  resume: { title: t('Let calls through again?'), about: t('It answers as its live version from now on.'), action: t('Resume in Copilot') },
  retire: { title: t('Retire it?'), about: t('Calls are refused, and nobody but its admins sees it any more.'), action: t('Retire in Copilot') },
}

function State({ agent, act, onClose }: { agent: AgentPartsFragment; act: 'pause' | 'resume' | 'retire'; onClose: () => void }) {
  const pause = useMutate(AgentPauseDocument)
  const resume = useMutate(AgentResumeDocument)
  const retire = useMutate(AgentRetireDocument)
  const { busy, fault } = { pause, resume, retire }[act]
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const variables = { input: { agentId: agent.id, expectedVersion: agent.version } }
    const payload = act === 'pause' ? await pause.run(variables) : act === 'resume' ? await resume.run(variables) : await retire.run(variables)
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    onClose()
  }
  return <Confirm title={words[act].title} description={words[act].about} action={words[act].action} danger={act !== 'resume'} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose} />
}

const owners: readonly ScopeKind[] = ['COPILOT', 'ORGANIZATION', 'TEAM', 'MEMBER']

function Duplicate({ agent, onClose, onOpen }: { agent: AgentPartsFragment; onClose: () => void; onOpen: (id: string) => void }) {
  const { run, busy, fault } = useMutate(AgentDuplicateDocument)
  const [name, setName] = useState(t('{{name}}, copy', { name: agent.name }))
  const [owner, setOwner] = useState<PlaceItem | null>(null)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const copy = async () => {
    if (!owner) return setErrors({ ownerId: t('Choose who owns it.') })
    const payload = await run({ input: { agentId: agent.id, ownerId: owner.value, name } })
    if (payload?.agent) {
      onClose()
      onOpen(payload.agent.id)
    } else if (payload) setErrors(byField(payload.errors))
  }
  return (
    <Dialog open onClose={onClose} title={t('Duplicate {{name}}', { name: agent.name })} description={t('Its draft is copied. Versions, access and budget are not.')}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void copy()
        }}
      >
        <Field label={t('Name')} required error={errors.name}>
          {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} maxLength={120} autoFocus />}
        </Field>
        <Field label={t('Owner')} required error={errors.ownerId}>
          {(wiring) => <PlacePicker {...wiring} plane="COPILOT" action="agent.create" kinds={owners} value={owner} onChange={setOwner} placeholder={t('Copilot, organization, team or user')} />}
        </Field>
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Duplicate in Copilot')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Transfer({ agent, onClose }: { agent: AgentPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(AgentTransferDocument)
  const [person, setPerson] = useState<Item | null>(null)
  const [error, setError] = useState<string>()
  const hand = async () => {
    if (!person) return setError(t('Choose a person.'))
    const payload = await run({ input: { agentId: agent.id, userId: person.value, expectedVersion: agent.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{person}} answers for {{name}} now', { person: person.label, name: agent.name }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Hand over {{name}}', { name: agent.name })} description={t('Whoever answers for it builds and publishes it, and is asked when something is wrong with it.')}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void hand()
        }}
      >
        <Field label={t('Person')} required error={error}>
          {(wiring) => <UserPicker {...wiring} value={person} onChange={setPerson} exclude={new Set(agent.ownerUserId ? [agent.ownerUserId] : [])} />}
        </Field>
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Hand over')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Delete({ agent, onClose, onGone }: { agent: AgentPartsFragment; onClose: () => void; onGone: () => void }) {
  const { run, busy, fault } = useMutate(AgentDeleteDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await run({ input: { agentId: agent.id, expectedVersion: agent.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: agent.name }))
    onGone()
  }
  return (
    <Confirm title={t('Delete {{name}}?', { name: agent.name })} description={t('Its definition and versions go, and nobody can use it any more. What it spent stays on the books.')} action={t('Delete in Copilot')} type={agent.publishedVersion ? agent.name : undefined} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose} />
  )
}
