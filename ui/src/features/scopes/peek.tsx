import { Link } from '@tanstack/react-router'
import { Archive, ArrowRightLeft, MailPlus, RotateCcw, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { byField, type Fault } from '@/graphql/fault'
import { OrganizationUpdateDocument, ScopePeekDocument, TeamUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Button, buttonClass } from '@/kit/button'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { Field, Input, Textarea } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { count, dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf, type Plane, slugOf, unitOf } from '@/lib/plane'
import { AccessResources, WhyNot } from '@/features/access'
import { Limit, Outlook, Used } from '@/features/budgets'
import { FeatureSwitches } from '@/features/features'
import { InvitePeople } from '@/features/invitations'
import { RoleList } from '@/features/roles'
import { ArchiveScope, DeleteScope, MoveTeam, useRestore } from './actions'
import type { Node } from './scope'
import { Seats } from './seats'

type Part = 'overview' | 'users' | 'models' | 'features' | 'roles' | 'limits'

type Props = { id: string; plane: Plane; onClose: () => void; onOpenMember: (memberId: string) => void }

/** An organization or a team: what it is, who is in it, who runs it, what limits it. */
export function ScopePeek({ id, plane, onClose, onOpenMember }: Props) {
  const { data, loading, fault, retry } = useRead(ScopePeekDocument, { id })
  const [part, setPart] = useState<Part>('overview')
  const [inviting, setInviting] = useState(false)
  const node: Node | undefined = data?.node && 'kind' in data.node ? data.node : undefined
  const team = node?.kind === 'TEAM'
  return (
    <Sheet open onClose={onClose} className="max-w-lg" title={node?.name ?? t('Details')} description={node && (team ? t('Team in {{where}}', { where: node.location || nameOf(plane) }) : t('Organization in {{plane}}', { plane: nameOf(plane) }))}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={6} />}
      {data && !node && !fault && <p className="py-8 text-center text-muted">{t("It doesn't exist (any more), or you may not see it.")}</p>}
      {node && (
        <div className="flex flex-col gap-4">
          {node.archivedAt && (
            <Notice tone="warn" title={t('Archived')}>
              {t('Everything in it has been refused since {{when}}.', { when: dateTime(node.archivedAt) })}
            </Notice>
          )}
          <Tabs<Part>
            label={t('Parts of {{name}}', { name: node.name })}
            value={part}
            onChange={setPart}
            tabs={[
              { value: 'overview', label: t('Overview'), content: <Overview key={node.id} node={node} plane={plane} onGone={onClose} /> },
              {
                value: 'users',
                label: team ? t('Users') : t('Teams'),
                content:
                  node.kind === 'TEAM' ? (
                    <Seats
                      teamId={node.id}
                      teamName={node.name}
                      plane={plane}
                      mayAdd={may(node, 'member.create') && !node.archivedAt}
                      onOpen={onOpenMember}
                      invite={
                        may(node, 'invitation.create') && (
                          <Button size="sm" onClick={() => setInviting(true)}>
                            <MailPlus aria-hidden /> {t('Invite people')}
                          </Button>
                        )
                      }
                    />
                  ) : (
                    <TeamsOf node={node} plane={plane} />
                  ),
              },
              { value: 'models', label: plane === 'COPILOT' ? t('Access') : t('Models'), content: <AccessResources scopeId={node.id} plane={plane} readOnly={Boolean(node.archivedAt)} /> },
              { value: 'features', label: t('Features'), content: <FeatureSwitches scope={node} readOnly={Boolean(node.archivedAt)} /> },
              { value: 'roles', label: t('Roles'), content: <RoleList scope={{ id: node.id, name: node.name, kind: node.kind }} /> },
              { value: 'limits', label: t('Limit'), content: <Limits node={node} plane={plane} /> },
            ]}
          />
        </div>
      )}
      {inviting && node && <InvitePeople plane={plane} scopeId={node.id} onClose={() => setInviting(false)} />}
    </Sheet>
  )
}

function TeamsOf({ node, plane }: { node: Node; plane: Plane }) {
  const { account } = useViewer()
  return (
    <p className="flex flex-wrap items-center gap-3 text-muted">
      {'teamCount' in node && t('{{count}} teams', { count: node.teamCount })}
      <Link to="/a/$account/$plane/teams" params={{ account: account.slug, plane: slugOf(plane) }} search={{ organization: node.id }} className={buttonClass({ size: 'sm' })}>
        {t('Show its teams')}
      </Link>
    </p>
  )
}

function Overview({ node, plane, onGone }: { node: Node; plane: Plane; onGone: () => void }) {
  const kind = node.kind === 'TEAM' ? 'team' : 'organization'
  const [doing, setDoing] = useState<'move' | 'archive' | 'delete'>()
  const { restore, busy, fault } = useRestore()
  const close = () => setDoing(undefined)
  const actions = {
    move: node.kind === 'TEAM' && !node.isDefault && !node.archivedAt && may(node, 'team.move'),
    archive: !node.isDefault && !node.archivedAt && may(node, `${kind}.archive`),
    restore: Boolean(node.archivedAt) && may(node, `${kind}.archive`),
    delete: !node.isDefault && may(node, `${kind}.delete`),
  }
  return (
    <div className="flex flex-col gap-5">
      <Details key={node.version} node={node} allowed={may(node, `${kind}.update`)} />
      <Facts
        facts={[
          [t('Users'), count(node.memberCount)],
          'teamCount' in node && [t('Teams'), count(node.teamCount)],
          node.isDefault && [t('Default'), node.kind === 'TEAM' ? t('People without another team are in it; it can be renamed, not deleted.') : t('It can be renamed, not deleted.')],
          [t('Id'), <Id key="id" id={node.id} />],
        ]}
      />
      {fault && <ErrorBar fault={fault} />}
      {Object.values(actions).some(Boolean) && (
        <div className="flex flex-wrap gap-2 border-t border-line pt-4">
          {actions.move && (
            <Button size="sm" onClick={() => setDoing('move')}>
              <ArrowRightLeft aria-hidden /> {t('Move')}
            </Button>
          )}
          {actions.archive && (
            <Button size="sm" onClick={() => setDoing('archive')}>
              <Archive aria-hidden /> {t('Archive')}
            </Button>
          )}
          {actions.restore && (
            <Button size="sm" busy={busy} onClick={() => restore(node)}>
              <RotateCcw aria-hidden /> {t('Restore')}
            </Button>
          )}
          {actions.delete && (
            <Button size="sm" className="text-bad" onClick={() => setDoing('delete')}>
              <Trash2 aria-hidden /> {t('Delete')}
            </Button>
          )}
        </div>
      )}
      {doing === 'move' && <MoveTeam node={node} plane={plane} onClose={close} />}
      {doing === 'archive' && <ArchiveScope node={node} plane={plane} onClose={close} />}
      {doing === 'delete' && <DeleteScope node={node} plane={plane} onClose={close} onDeleted={onGone} />}
    </div>
  )
}

/** Name and description; a field each where the viewer may change them. */
function Details({ node, allowed }: { node: Node; allowed: boolean }) {
  const organizations = useMutate(OrganizationUpdateDocument)
  const teams = useMutate(TeamUpdateDocument)
  const [name, setName] = useState(node.name)
  const [description, setDescription] = useState(node.description)
  const [version, setVersion] = useState(node.version)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const changed = name.trim() !== node.name || description.trim() !== node.description
  if (!allowed) return node.description ? <p>{node.description}</p> : null

  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!name.trim()) return setErrors({ name: t('Give it a name.') })
    const change = { name: name.trim(), description: description.trim(), expectedVersion: version }
    const payload = node.kind === 'TEAM' ? await teams.run({ input: { teamId: node.id, ...change } }) : await organizations.run({ input: { organizationId: node.id, ...change } })
    if (!payload) return
    const first = payload.errors[0]
    if (!first) {
      setErrors({})
      return toast(t('{{name}} is saved', { name: change.name }))
    }
    const found = byField(payload.errors)
    setErrors({ ...found, '': found[''] ?? found.expectedVersion ?? '' })
    // Whose value stands is shown; saving again is then a choice.
    if ('currentVersion' in first && typeof first.currentVersion === 'number') setVersion(first.currentVersion)
  }
  const fault: Fault | undefined = organizations.fault ?? teams.fault
  return (
    <form noValidate onSubmit={save} className="flex flex-col gap-3">
      <Field label={t('Name')} error={errors.name}>
        {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} maxLength={120} autoComplete="off" />}
      </Field>
      <Field label={t('Description')} error={errors.description}>
        {(wiring) => <Textarea {...wiring} value={description} onChange={(e) => setDescription(e.target.value)} maxLength={500} className="min-h-16" />}
      </Field>
      {errors[''] && (
        <p role="alert" className="text-bad">
          {errors['']}
        </p>
      )}
      {fault && <ErrorBar fault={fault} />}
      {changed && (
        <div className="flex gap-2">
          <Button type="submit" size="sm" variant="primary" busy={organizations.busy || teams.busy}>
            {t('Save')}
          </Button>
          <Button
            size="sm"
            variant="ghost"
            onClick={() => {
              setName(node.name)
              setDescription(node.description)
              setErrors({})
            }}
          >
            {t('Discard')}
          </Button>
        </div>
      )}
    </form>
  )
}

function Limits({ node, plane }: { node: Node; plane: Plane }) {
  const { account } = useViewer()
  const [editing, setEditing] = useState(false)
  const { budget } = node
  const limit = <Limit scope={node} budget={budget} unit={unitOf(plane)} editing={editing} onEdit={setEditing} allowed={may(node, 'budget.set') && !node.archivedAt} />
  return (
    <div className="flex flex-col gap-3">
      {budget ? (
        <>
          <Used state={budget.state} name={node.name}>
            {limit}
          </Used>
          <p>
            <Outlook state={budget.state} />
          </p>
        </>
      ) : (
        <p className="text-muted">
          {t('Only the budgets above limit it.')} {limit}
        </p>
      )}
      <p>
        <Link to="/a/$account/$plane/budgets" params={{ account: account.slug, plane: slugOf(plane) }} search={{ peek: node.id }} className={buttonClass({ size: 'sm' })}>
          {t('Who spends it, and on what')}
        </Link>{' '}
        <WhyNot plane={plane} node={node} action="budget.set" />
      </p>
    </div>
  )
}
