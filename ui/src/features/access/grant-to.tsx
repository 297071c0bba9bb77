import { useMemo } from 'react'
import { may, useViewer } from '@/graphql/viewer'
import { Field } from '@/kit/field'
import { ManyPicker } from '@/kit/picker'
import { RadioCards } from '@/kit/radio'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { placeItem, usePlaces } from './choices'

export type GrantChoice = { to: 'plane' | 'some' | 'nobody'; scopes: string[] }

export const grantToAll: GrantChoice = { to: 'plane', scopes: [] }

/** The scopes that a choice means; nothing where nobody is meant. */
export function grantTo(choice: GrantChoice, rootId: string | undefined): string[] | undefined {
  if (choice.to === 'plane') return rootId ? [rootId] : undefined
  return choice.to === 'some' && choice.scopes.length > 0 ? choice.scopes : undefined
}

type Props = {
  plane: Plane
  value: GrantChoice
  onChange: (choice: GrantChoice) => void
  /** Grants of before stand again. */
  again?: boolean
  error?: string
}

/** Nothing granted means nothing allowed: so a new model asks who may use it. */
export function GrantTo({ plane, value, onChange, again, error }: Props) {
  const account = useViewer().account.name
  const { places } = usePlaces(plane)
  const items = useMemo(() => places.filter((p) => may(p, 'grant.set') && p.kind !== plane).map((p) => placeItem(p, account)), [places, plane, account])
  return (
    <div className="grid gap-3">
      <RadioCards<GrantChoice['to']>
        label={t('Who may use it?')}
        value={value.to}
        onChange={(to) => onChange({ ...value, to })}
        options={[
          { value: 'plane', label: t('Everybody in {{plane}}', { plane: nameOf(plane) }) },
          { value: 'some', label: t('Some organizations or teams') },
          again ? { value: 'nobody', label: t('Whoever could before'), note: t('Its grants stand as they were.') } : { value: 'nobody', label: t('Nobody yet'), note: t('Calls to it are refused until it is allowed somewhere.') },
        ]}
      />
      {value.to === 'some' && (
        <Field label={t('Where')} required error={error}>
          {(wiring) => <ManyPicker {...wiring} items={items} value={value.scopes} onChange={(scopes) => onChange({ ...value, scopes })} placeholder={t('Organizations and teams')} />}
        </Field>
      )}
    </div>
  )
}
