import { useState } from 'react'
import {
  OrganizationArchiveDocument,
  OrganizationChoicesDocument,
  OrganizationDeleteDocument,
  OrganizationRestoreDocument,
  TeamArchiveDocument,
  TeamDeleteDocument,
  TeamMoveDocument,
  TeamRestoreDocument,
} from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Confirm } from '@/kit/confirm'
import { Field } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { ImpactList, useDryRun } from './impact'
import type { Node } from './scope'

type Props = { node: Node; plane: Plane; onClose: () => void }

/** Deletes for good: the effects counted by the server, the name typed. */
export function DeleteScope({ node, plane, onClose, onDeleted }: Props & { onDeleted: () => void }) {
  const team = node.kind === 'TEAM'
  const organizations = useMutate(OrganizationDeleteDocument)
  const teams = useMutate(TeamDeleteDocument)
  const run = async (input: { confirm?: string; dryRun?: boolean }) => (team ? teams.run({ input: { teamId: node.id, ...input } }) : organizations.run({ input: { organizationId: node.id, ...input } }))
  const { impact, refusal } = useDryRun(async () => {
    const payload = await run({ dryRun: true })
    return payload && (payload.errors[0]?.message ?? payload.impact)
  }, node.id)
  const [error, setError] = useState<string>()
  const remove = async () => {
    const payload = await run({ confirm: node.name })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is deleted', { name: node.name }))
    onDeleted()
  }
  return (
    <Confirm
      title={t('Delete {{name}}?', { name: node.name })}
      description={team ? t('Team in {{where}}', { where: node.location || nameOf(plane) }) : t('Organization in {{plane}}', { plane: nameOf(plane) })}
      action={team ? t('Delete team') : t('Delete organization')}
      keep={t('Keep it')}
      type={node.name}
      blocked={!impact}
      busy={(organizations.busy || teams.busy) && Boolean(impact)}
      error={error ?? refusal}
      fault={organizations.fault ?? teams.fault}
      onConfirm={remove}
      onClose={onClose}
    >
      {!refusal && <ImpactList impact={impact} none={t('Nobody and nothing is in it.')} />}
      <p className="text-muted">{t("This can't be undone.")}</p>
    </Confirm>
  )
}

/** Refuses everything below until it is restored. */
export function ArchiveScope({ node, onClose }: Props) {
  const team = node.kind === 'TEAM'
  const organizations = useMutate(OrganizationArchiveDocument)
  const teams = useMutate(TeamArchiveDocument)
  const run = async (dryRun: boolean) => (team ? teams.run({ input: { teamId: node.id, dryRun } }) : organizations.run({ input: { organizationId: node.id, dryRun } }))
  const { impact, refusal } = useDryRun(async () => {
    const payload = await run(true)
    return payload && (payload.errors[0]?.message ?? payload.impact)
  }, node.id)
  const [error, setError] = useState<string>()
  const archive = async () => {
    const payload = await run(false)
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is archived', { name: node.name }))
    onClose()
  }
  return (
    <Confirm
      title={t('Archive {{name}}?', { name: node.name })}
      action={t('Archive')}
      keep={t('Keep it in use')}
      blocked={!impact}
      busy={(organizations.busy || teams.busy) && Boolean(impact)}
      error={error ?? refusal}
      fault={organizations.fault ?? teams.fault}
      onConfirm={archive}
      onClose={onClose}
    >
      <p>{t('Everything in it is refused within a second: seats, keys, calls. Nothing is deleted, and it can be restored at any time.')}</p>
      {!refusal && <ImpactList deed="archive" impact={impact} none={t('Nobody is in it at the moment.')} />}
    </Confirm>
  )
}

/** Lets an archived node be used again; says so when it worked. */
export function useRestore() {
  const organizations = useMutate(OrganizationRestoreDocument)
  const teams = useMutate(TeamRestoreDocument)
  const restore = async (node: Node) => {
    const payload = node.kind === 'TEAM' ? await teams.run({ input: { teamId: node.id } }) : await organizations.run({ input: { organizationId: node.id } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? t('{{name}} is in use again', { name: node.name }))
  }
  return { restore, busy: organizations.busy || teams.busy, fault: organizations.fault ?? teams.fault }
}

/** Takes a team with all it has to another organization of the plane. */
export function MoveTeam({ node, plane, onClose }: Props) {
  const { data, loading, fault: readFault } = useRead(OrganizationChoicesDocument, ask(plane))
  const move = useMutate(TeamMoveDocument)
  const [target, setTarget] = useState('')
  const choices = (pick(data)?.organizations.edges ?? []).map((e) => e.node).filter((o) => o.name !== node.location && !o.archivedAt && may(o, 'team.create'))
  const chosen = choices.find((o) => o.id === target)
  const { impact, refusal } = useDryRun(async () => {
    const payload = await move.run({ input: { teamId: node.id, organizationId: target, dryRun: true } })
    return payload && (payload.errors[0]?.message ?? payload.impact)
  }, target)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await move.run({ input: { teamId: node.id, organizationId: target } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is in {{organization}} now', { name: node.name, organization: chosen?.name ?? '' }))
    onClose()
  }
  return (
    <Confirm
      title={t('Move {{name}}', { name: node.name })}
      description={t('Its people, keys, budgets and grants go with it. Calls that run settle where they began.')}
      action={chosen ? t('Move to {{name}}', { name: chosen.name }) : t('Move')}
      danger={false}
      blocked={!impact}
      busy={move.busy && Boolean(impact)}
      error={error ?? refusal}
      fault={readFault ?? move.fault}
      onConfirm={run}
      onClose={onClose}
    >
      <Field label={t('To which organization?')} hint={data && choices.length === 0 ? t('There is no other organization of {{plane}} that you are admin of.', { plane: nameOf(plane) }) : t('Now in {{where}}.', { where: node.location })}>
        {(wiring) => (
          <Picker
            {...wiring}
            items={choices.map((o) => ({ value: o.id, label: o.name }))}
            value={target || null}
            onChange={(id) => {
              setTarget(id)
              setError(undefined)
            }}
            placeholder={loading ? t('Loading…') : t('Organization')}
          />
        )}
      </Field>
      {target && !refusal && <ImpactList deed="move" impact={impact} none={t('Nothing else changes.')} />}
    </Confirm>
  )
}
