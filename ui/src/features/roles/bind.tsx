import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { type Role, RoleBindDocument, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field } from '@/kit/field'
import type { Item } from '@/kit/picker'
import { RadioCards } from '@/kit/radio'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { UserPicker } from '@/features/users'
import { PlacePicker, type PlaceItem } from './place-picker'
import { roleMeans, roleName } from './words'

const kinds: readonly ScopeKind[] = ['ACCOUNT', 'CONSOLE', 'COPILOT', 'ORGANIZATION', 'TEAM']

type Props = {
  /** Where it is given; left out: a place to be chosen. */
  place?: PlaceItem
  /** Whom it is given to; left out: somebody to be chosen. */
  user?: { id: string; name: string }
  onClose: () => void
}

/** Makes somebody admin or auditor. */
export function BindRole({ place: given, user, onClose }: Props) {
  const bind = useMutate(RoleBindDocument)
  const [person, setPerson] = useState<Item | null>(user ? { value: user.id, label: user.name } : null)
  const [place, setPlace] = useState<PlaceItem | null>(given ?? null)
  const [role, setRole] = useState<Role>('ADMIN')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!person) return setErrors({ userId: t('Choose who it is.') })
    if (!place) return setErrors({ scopeId: t('Choose where.') })
    const payload = await bind.run({ input: { userId: person.value, scopeId: place.value, role } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('{{name}} is {{role}} of {{place}} now', { name: person.label, role: roleName[role], place: place.label }))
    onClose()
  }
  const other = errors[''] ?? errors.role
  return (
    <Dialog
      open
      onClose={onClose}
      title={user ? t('Give {{name}} a role', { name: user.name }) : given ? t('Add an admin or auditor of {{place}}', { place: given.label }) : t('Give somebody a role')}
      description={t('A role reaches everything below its place. You can hand out no more than you hold.')}
    >
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        {!user && (
          <Field label={t('Person')} required error={errors.userId}>
            {(wiring) => <UserPicker {...wiring} value={person} onChange={setPerson} />}
          </Field>
        )}
        {!given && (
          <Field label={t('Where')} required error={errors.scopeId}>
            {(wiring) => <PlacePicker {...wiring} action="role.bind" kinds={kinds} value={place} onChange={setPlace} placeholder={t('Account, plane, organization or team')} />}
          </Field>
        )}
        <RadioCards
          label={t('Role')}
          value={role}
          onChange={setRole}
          options={(['ADMIN', 'VIEWER'] as const).map((value) => ({ value, label: roleName[value], note: roleMeans(value, place?.kind ?? 'TEAM') }))}
        />
        {errors.userId && user && <p role="alert" className="text-bad">{errors.userId}</p>}
        {errors.scopeId && given && <p role="alert" className="text-bad">{errors.scopeId}</p>}
        {other && (
          <p role="alert" className="text-bad">
            {other}
          </p>
        )}
        {bind.fault && <ErrorBar fault={bind.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={bind.busy}>
            {role === 'ADMIN' ? t('Make admin') : t('Make auditor')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
