import { Plus, Users } from 'lucide-react'
import { type FormEvent, useMemo, useState } from 'react'
import { byField } from '@/graphql/fault'
import { MemberCreateDocument, TeamMembersDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field } from '@/kit/field'
import { TableFoot } from '@/kit/more'
import type { Item } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { UserPicker } from '@/features/users'

type Props = { teamId: string; teamName: string; plane: Plane; mayAdd: boolean; /** Opens somebody. */ onOpen: (memberId: string) => void; invite?: React.ReactNode }

/** Who sits in a team. */
export function Seats({ teamId, teamName, plane, mayAdd, onOpen, invite }: Props) {
  const { rows, total, loading, fetching, fault, retry, more } = usePages(TeamMembersDocument, { ...ask(plane), teamId }, (d) => pick(d)?.members)
  const [adding, setAdding] = useState(false)
  const taken = useMemo(() => new Set(rows.map((m) => m.user.id)), [rows])
  return (
    <div className="flex flex-col gap-3">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={4} />}
      {!loading && !fault && rows.length === 0 && (
        <Empty icon={<Users aria-hidden />} title={t('Nobody sits here yet')}>
          {mayAdd && t('Give somebody of the account a seat, or invite somebody new.')}
        </Empty>
      )}
      {rows.length > 0 && (
        <ul className="rounded-lg border border-line">
          {rows.map((m) => (
            <li key={m.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
              <Avatar name={m.name} />
              <span className="min-w-0 grow">
                <button type="button" onClick={() => onOpen(m.id)} className="block max-w-full truncate rounded-sm text-start font-medium hover:underline">
                  {m.name}
                </button>
                <span className="block truncate text-xs text-muted">{m.user.email}</span>
              </span>
              {m.user.status !== 'ACTIVE' && <Badge>{t('Deactivated')}</Badge>}
            </li>
          ))}
          {(more || (total ?? 0) > rows.length) && (
            <li>
              <TableFoot more={more} busy={fetching}>
                {t('{{count}} users', { count: total ?? rows.length })}
              </TableFoot>
            </li>
          )}
        </ul>
      )}
      {mayAdd && (
        <div className="flex flex-wrap gap-2">
          <Button size="sm" onClick={() => setAdding(true)}>
            <Plus aria-hidden /> {t('Give somebody a seat')}
          </Button>
          {invite}
        </div>
      )}
      {adding && <AddSeat teamId={teamId} teamName={teamName} plane={plane} taken={taken} onClose={() => setAdding(false)} />}
    </div>
  )
}

type AddProps = { teamId: string; teamName: string; plane: Plane; taken: ReadonlySet<string>; onClose: () => void }

function AddSeat({ teamId, teamName, plane, taken, onClose }: AddProps) {
  const create = useMutate(MemberCreateDocument)
  const [person, setPerson] = useState<Item | null>(null)
  const [error, setError] = useState<string>()
  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (!person) return setError(t('Choose who it is.'))
    const input = { teamId, userId: person.value }
    const payload = await create.run({ input })
    if (!payload) return
    const said = Object.values(byField(payload.errors))[0]
    if (said) return setError(said)
    toast(t('{{name}} has a seat in {{team}} now', { name: person.label, team: teamName }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('A seat in {{team}}', { team: teamName })} description={t('For somebody of the account. They use what is granted to the team in {{plane}}.', { plane: nameOf(plane) })}>
      <form noValidate onSubmit={save} className="flex flex-col gap-4">
        <Field label={t('Person')} required error={error}>
          {(wiring) => (
            <UserPicker
              {...wiring}
              value={person}
              exclude={taken}
              onChange={(p) => {
                setPerson(p)
                setError(undefined)
              }}
            />
          )}
        </Field>
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy}>
            {t('Give the seat')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
