import { ArrowRight, Plus, X } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { GroupMappingCreateDocument, GroupMappingDeleteDocument, type IdentityPartsFragment, type Role, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { type PlaceItem, PlacePicker, placeName, roleMeans, roleName, usePlaneOf } from '@/features/roles'

type Mapping = IdentityPartsFragment['mappings'][number]

const groupName = (m: Pick<Mapping, 'group'>) => m.group || t('Everybody who signs in')

/** Who becomes what by the groups that the provider tells. */
export function Mappings({ provider: p, mayChange }: { provider: IdentityPartsFragment; mayChange: boolean }) {
  const { account } = useViewer()
  const planeOf = usePlaneOf()
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Mapping>()
  return (
    <div>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <div>
          <h3 className="text-sm font-semibold">{t('Groups')}</h3>
          <p className="text-xs text-muted">{t('Seats and roles by the groups that the provider tells, from the next sign-in on.')}</p>
        </div>
        {mayChange && (
          <Button size="sm" onClick={() => setAdding(true)} aria-label={t('Map a group of {{name}}', { name: p.name })}>
            <Plus aria-hidden /> {t('Map a group')}
          </Button>
        )}
      </div>
      {p.mappings.length === 0 ? (
        <p className="mt-3 rounded-md border border-dashed border-line px-3 py-3 text-muted">{t('None. Whoever signs in has what they were given by hand, and nothing else.')}</p>
      ) : (
        <ul className="mt-3 rounded-md border border-line">
          {p.mappings.map((m) => (
            <li key={m.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line py-1.5 ps-3 pe-1.5 last:border-b-0">
              <span className="min-w-0 basis-56 truncate font-medium max-sm:basis-full" title={m.group}>
                {m.group ? <code className="font-mono text-xs">{m.group}</code> : groupName(m)}
              </span>
              <ArrowRight aria-label={t('becomes')} className="size-3.5 shrink-0 text-muted" />
              <span className="flex min-w-0 grow flex-wrap items-center gap-2">
                <Badge tone={m.role === 'ADMIN' ? 'accent' : 'plain'}>{roleName[m.role]}</Badge>
                <span className="min-w-0 truncate">{placeName(m.scope, m.location, account.name, planeOf(m.scope))}</span>
              </span>
              {mayChange && (
                <Button variant="ghost" size="icon" onClick={() => setRemoving(m)} aria-label={t('Remove the mapping of {{group}}', { group: groupName(m) })}>
                  <X aria-hidden />
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {adding && <AddMapping provider={p} onClose={() => setAdding(false)} />}
      {removing && <RemoveMapping mapping={removing} onClose={() => setRemoving(undefined)} />}
    </div>
  )
}

const teams: readonly ScopeKind[] = ['TEAM']
const everywhere: readonly ScopeKind[] = ['ACCOUNT', 'CONSOLE', 'COPILOT', 'ORGANIZATION', 'TEAM']

function AddMapping({ provider: p, onClose }: { provider: IdentityPartsFragment; onClose: () => void }) {
  const create = useMutate(GroupMappingCreateDocument)
  const [who, setWho] = useState<'group' | 'all'>('group')
  const [group, setGroup] = useState('')
  const [role, setRole] = useState<Role>('MEMBER')
  const [chosen, setChosen] = useState<PlaceItem | null>(null)
  const [errors, setErrors] = useState<Record<string, string>>({})
  // Seats are in teams; roles can be held anywhere.
  const kinds = role === 'MEMBER' ? teams : everywhere
  const place = chosen && kinds.includes(chosen.kind) ? chosen : null
  const save = async (event: FormEvent) => {
    event.preventDefault()
    const found: Record<string, string> = {}
    if (who === 'group' && !group.trim()) found.group = t('Enter the group as the provider tells it.')
    if (!place) found.scopeId = role === 'MEMBER' ? t('Choose the team that they get a seat in.') : t('Choose where they get the role.')
    setErrors(found)
    if (Object.keys(found).length > 0 || !place) return
    const payload = await create.run({ input: { identityProviderId: p.id, group: who === 'all' ? '' : group.trim(), scopeId: place.value, role } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('From the next sign-in on they are {{role}} of {{place}}', { role: roleName[role], place: place.label }))
    onClose()
  }
  const other = errors[''] ?? errors.role ?? errors.identityProviderId
  return (
    <Dialog open onClose={onClose} title={t('Map a group of {{name}}', { name: p.name })} description={t('You can hand out no more than you hold.')}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <RadioCards
          label={t('Who')}
          value={who}
          onChange={setWho}
          options={[
            { value: 'group', label: t('People in a group') },
            { value: 'all', label: t('Everybody who signs in through it') },
          ]}
        />
        {who === 'group' && (
          <Field label={t('Group')} required error={errors.group} hint={t('As it stands in the claim {{claim}}; Entra tells ids of groups.', { claim: p.groupsClaim })}>
            {(wiring) => <Input {...wiring} value={group} onChange={(e) => setGroup(e.target.value)} autoComplete="off" spellCheck={false} className="font-mono" />}
          </Field>
        )}
        <RadioCards
          label={t('They become')}
          value={role}
          onChange={setRole}
          options={(['MEMBER', 'ADMIN', 'VIEWER'] as const).map((value) => ({ value, label: roleName[value], note: roleMeans(value, value === 'MEMBER' ? 'TEAM' : (place?.kind ?? 'ACCOUNT')) }))}
        />
        <Field label={role === 'MEMBER' ? t('Team') : t('Where')} required error={errors.scopeId}>
          {(wiring) => <PlacePicker key={kinds.length} {...wiring} action="role.bind" kinds={kinds} value={place} onChange={setChosen} placeholder={role === 'MEMBER' ? t('Which team?') : t('Account, plane, organization or team')} />}
        </Field>
        {other && (
          <p role="alert" className="text-bad">
            {other}
          </p>
        )}
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy}>
            {t('Map group')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function RemoveMapping({ mapping: m, onClose }: { mapping: Mapping; onClose: () => void }) {
  const { account } = useViewer()
  const drop = useMutate(GroupMappingDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { groupMappingId: m.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The mapping of {{group}} is removed', { group: groupName(m) }))
    onClose()
  }
  return (
    <Confirm title={t('Remove the mapping of {{group}}?', { group: groupName(m) })} description={`${roleName[m.role]} · ${placeName(m.scope, m.location, account.name)}`} action={t('Remove mapping')} keep={t('Keep it')} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Nobody gets it by the group any more.')}</li>
        <li>{t('Who has it already keeps it until somebody takes it away.')}</li>
      </ul>
    </Confirm>
  )
}
