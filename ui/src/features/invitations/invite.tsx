import { type FormEvent, useRef, useState } from 'react'
import { byField } from '@/graphql/fault'
import { InvitationCreateDocument, type LinkPartsFragment, PlaceDocument, type Role, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { type PlaceItem, PlacePicker, placeName, roleMeans, roleName } from '@/features/roles'
import { parseEmails } from './emails'
import { Links } from './links'

type Props = {
  /** Its organizations and teams are to choose from; left out: the account and its planes. */
  plane?: Plane
  /** Chosen to begin with. */
  scopeId?: string
  onClose: () => void
}

const days = (['1', '3', '7', '14', '30'] as const).map((value) => ({ value, label: t('{{count}} days', { count: Number(value) }) }))

/** Invites people: pasted addresses, what they become and where; then the links, once. */
export function InvitePeople({ plane, scopeId, onClose }: Props) {
  const [links, setLinks] = useState<readonly LinkPartsFragment[]>()
  return links ? <Links links={links} onDone={onClose} /> : <InviteForm plane={plane} scopeId={scopeId} onClose={onClose} onInvited={setLinks} />
}

const teams: readonly ScopeKind[] = ['TEAM']
const everywhere: readonly ScopeKind[] = ['ACCOUNT', 'CONSOLE', 'COPILOT', 'ORGANIZATION', 'TEAM']

/** The place that the dialog was opened at. */
function useGiven(scopeId: string | undefined): PlaceItem | null {
  const account = useViewer().account.name
  const { data } = useRead(PlaceDocument, { id: scopeId ?? '' }, !scopeId)
  const node = data?.node
  return node && 'kind' in node && node.id === scopeId ? { value: node.id, kind: node.kind, label: placeName(node, node.location, account) } : null
}

function InviteForm({ plane, scopeId, onClose, onInvited }: Props & { onInvited: (links: readonly LinkPartsFragment[]) => void }) {
  const invite = useMutate(InvitationCreateDocument, { once: true })
  const [text, setText] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>(plane ? 'MEMBER' : 'ADMIN')
  const given = useGiven(scopeId)
  const [chosen, setChosen] = useState<PlaceItem>()
  const [expires, setExpires] = useState<(typeof days)[number]['value']>('7')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const area = useRef<HTMLTextAreaElement>(null)

  const { emails, wrong } = parseEmails(text)
  // Seats are in teams; roles can be held anywhere.
  const kinds = role === 'MEMBER' ? teams : plane ? everywhere.slice(1) : everywhere
  const at = chosen ?? given
  const place = at && kinds.includes(at.kind) ? at : null

  const send = async (event: FormEvent) => {
    event.preventDefault()
    const found: Record<string, string> = {}
    if (wrong.length > 0) found.emails = t('Not an e-mail address: {{words}}', { words: wrong.slice(0, 3).join(', ') })
    else if (emails.length === 0) found.emails = t('Enter at least one e-mail address.')
    else if (emails.length > 100) found.emails = t('At most 100 at a time; these are {{n}}.', { n: emails.length })
    if (!place) found.scopeId = role === 'MEMBER' ? t('Choose the team that they get a seat in.') : t('Choose where they get the role.')
    setErrors(found)
    if (found.emails) return area.current?.focus()
    if (!place) return
    const input = { scopeId: place.value, role, emails, name: emails.length === 1 && name.trim() ? name.trim() : undefined, expiresInDays: Number(expires) }
    const payload = await invite.run({ input })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    onInvited(payload.invitations ?? [])
  }
  const other = errors[''] ?? errors.role ?? errors.expiresInDays

  return (
    <Dialog open onClose={onClose} title={plane ? t('Invite people to {{plane}}', { plane: nameOf(plane) }) : t('Invite people')} description={t('They get a link, by mail where mail is set up. Nothing of people who are users already is changed.')}>
      <form noValidate onSubmit={send} className="flex flex-col gap-4">
        <Field
          label={t('E-mail addresses')}
          required
          error={errors.emails}
          hint={emails.length > 0 ? <span aria-live="polite">{[t('{{count}} addresses', { count: emails.length }), wrong.length > 0 && t('not an address: {{words}}', { words: wrong.slice(0, 3).join(', ') })].filter(Boolean).join(' · ')}</span> : t('Paste as many as 100: one a line, or separated by commas.')}
        >
          {(wiring) => <Textarea {...wiring} ref={area} autoFocus value={text} onChange={(e) => setText(e.target.value)} placeholder={'ada@example.com\nGrace Hopper <grace@example.com>'} spellCheck={false} autoComplete="off" />}
        </Field>
        {emails.length === 1 && (
          <Field label={t('Name')} error={errors.name} hint={t('May be left empty: they say what they are called.')}>
            {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} maxLength={120} autoComplete="off" />}
          </Field>
        )}
        <RadioCards
          label={t('They become')}
          value={role}
          onChange={setRole}
          options={(plane ? (['MEMBER', 'ADMIN', 'VIEWER'] as const) : (['ADMIN', 'VIEWER', 'MEMBER'] as const)).map((value) => ({ value, label: roleName[value], note: roleMeans(value, value === 'MEMBER' ? 'TEAM' : (place?.kind ?? (plane ? 'TEAM' : 'ACCOUNT'))) }))}
        />
        <div className="grid gap-4 sm:grid-cols-[1fr_9rem]">
          <Field label={role === 'MEMBER' ? t('Team') : t('Where')} required error={errors.scopeId}>
            {(wiring) => <PlacePicker key={role === 'MEMBER' ? 'team' : 'any'} {...wiring} plane={plane} action="invitation.create" kinds={kinds} value={place} onChange={setChosen} placeholder={role === 'MEMBER' ? t('Which team?') : t('Plane, organization or team')} />}
          </Field>
          <Field label={t('Link works for')}>{(wiring) => <Select {...wiring} value={expires} onChange={setExpires} options={days} />}</Field>
        </div>
        {other && (
          <p role="alert" className="text-bad">
            {other}
          </p>
        )}
        {invite.fault && <ErrorBar fault={invite.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={invite.busy}>
            {emails.length > 1 ? t('Invite {{n}} people', { n: emails.length }) : t('Invite')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
