import { useMemo, useState } from 'react'
import { MemberDeleteDocument, MemberMoveDocument, TeamChoicesDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Confirm } from '@/kit/confirm'
import { Field } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { ImpactList, useDryRun } from '@/features/scopes'

type Seat = { id: string; name: string; location: string; parentId: string | null }

type Props = { seat: Seat; plane: Plane; onClose: () => void }

/** Takes a seat with its keys, budget and grants to another team. */
export function MoveSeat({ seat, plane, onClose }: Props) {
  const { data, loading, fault: readFault } = useRead(TeamChoicesDocument, ask(plane))
  const move = useMutate(MemberMoveDocument)
  const [target, setTarget] = useState('')
  const [error, setError] = useState<string>()
  const items = useMemo(
    () => (pick(data)?.teams.edges ?? []).map((e) => e.node).filter((team) => team.id !== seat.parentId && !team.archivedAt && may(team, 'member.create')).map((team) => ({ value: team.id, label: [team.location, team.name].filter(Boolean).join(' / ') })),
    [data, seat.parentId],
  )
  const chosen = items.find((i) => i.value === target)
  const run = async () => {
    const payload = await move.run({ input: { memberId: seat.id, teamId: target } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is in {{team}} now', { name: seat.name, team: chosen?.label ?? '' }))
    onClose()
  }
  return (
    <Confirm
      title={t('Move {{name}}', { name: seat.name })}
      description={t("The seat's keys, budget and grants go with it. Models that only the present team may use can't be called any more.")}
      action={chosen ? t('Move to {{name}}', { name: chosen.label }) : t('Move')}
      danger={false}
      blocked={!chosen}
      busy={move.busy}
      error={error}
      fault={readFault ?? move.fault}
      onConfirm={run}
      onClose={onClose}
    >
      <Field label={t('To which team?')} hint={data && items.length === 0 ? t('There is no other team of {{plane}} that you are admin of.', { plane: nameOf(plane) }) : t('Now in {{where}}.', { where: seat.location })}>
        {(wiring) => <Picker {...wiring} items={items} value={target || null} onChange={setTarget} placeholder={loading ? t('Loading…') : t('Team')} />}
      </Field>
    </Confirm>
  )
}

/** Takes a seat away. */
export function RemoveSeat({ seat, plane, onClose, onRemoved }: Props & { onRemoved: () => void }) {
  const remove = useMutate(MemberDeleteDocument)
  const [error, setError] = useState<string>()
  const { impact, refusal } = useDryRun(async () => {
    const payload = await remove.run({ input: { memberId: seat.id, dryRun: true } })
    return payload && (payload.errors[0]?.message ?? payload.impact)
  }, seat.id)
  const run = async () => {
    const payload = await remove.run({ input: { memberId: seat.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} has no seat in {{team}} any more', { name: seat.name, team: seat.location }))
    onRemoved()
  }
  return (
    <Confirm
      title={t('Remove {{name}} from {{team}}?', { name: seat.name, team: seat.location })}
      action={t('Remove seat in {{plane}}', { plane: nameOf(plane) })}
      keep={t('Keep it')}
      blocked={!impact}
      busy={remove.busy && Boolean(impact)}
      error={error ?? refusal}
      fault={remove.fault}
      onConfirm={run}
      onClose={onClose}
    >
      {!refusal && <ImpactList impact={impact} none={t('The seat has neither keys nor a budget.')} />}
      <p className="text-muted">{t('The person stays a user of the account; what the seat spent stays on the books.')}</p>
    </Confirm>
  )
}
