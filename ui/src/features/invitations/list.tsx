import { Mail, MoreHorizontal, RotateCw, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { type InvitationPartsFragment, InvitationResendDocument, InvitationRevokeDocument, InvitationsDocument, type InvitationState, type LinkPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may, useViewer } from '@/graphql/viewer'
import { Badge, type Tone } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Menu, MenuItem } from '@/kit/menu'
import { TableFoot } from '@/kit/more'
import { Select } from '@/kit/select'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { ago, day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { placeName, roleName, usePlaneOf } from '@/features/roles'
import { Links, mailWords } from './links'

const states: Record<InvitationState, { tone: Tone; label: string }> = {
  OPEN: { tone: 'info', label: t('Waiting') },
  ACCEPTED: { tone: 'ok', label: t('Accepted') },
  EXPIRED: { tone: 'warn', label: t('Expired') },
  REVOKED: { tone: 'plain', label: t('Taken back') },
}

const ALL = 'ALL'

const known = ['OPEN', 'EXPIRED', 'ACCEPTED', 'REVOKED'] as const

const choices = [...known.map((value) => ({ value: value as string, label: states[value].label })), { value: ALL, label: t('Every state') }]

/** The state in an address: those that wait, unless it says something else. */
export const invitationState = (text: string | undefined): InvitationState | undefined => (text === ALL ? undefined : (known.find((s) => s === text) ?? 'OPEN'))

/** Chooses which invitations to show. */
export function InvitationStates({ value, onChange }: { value: string | undefined; onChange: (value: string | undefined) => void }) {
  const state = invitationState(value)
  return <Select aria-label={t('State')} value={state ?? ALL} onChange={(next) => onChange(next === 'OPEN' ? undefined : next)} options={choices} className="h-8 w-36 max-sm:w-full" />
}

type Props = {
  /** Invitations to it and to all below it. */
  scopeId: string
  state?: InvitationState
  needle?: string
  invite?: ReactNode
  /** It spans both planes, so that places say theirs. */
  bothPlanes?: boolean
}

export function InvitationList({ scopeId, state, needle = '', invite, bothPlanes }: Props) {
  const viewer = useViewer()
  const { data, rows, total, loading, fetching, fault, retry, more } = usePages(InvitationsDocument, { scopeId, state }, (d) => d.access?.invitations)
  const [revoking, setRevoking] = useState<InvitationPartsFragment>()
  const [link, setLink] = useState<LinkPartsFragment>()
  const planeOf = usePlaneOf()
  const resend = useMutate(InvitationResendDocument)
  const found = rows.filter((i) => `${i.email} ${i.name} ${i.location}`.toLowerCase().includes(needle.toLowerCase()))

  const again = async (invitation: InvitationPartsFragment) => {
    const payload = await resend.run({ input: { invitationId: invitation.id } })
    if (!payload) return
    if (payload.errors[0]) return toast(payload.errors[0].message)
    if (payload.invitation) setLink(payload.invitation)
  }
  return (
    <>
      {(fault ?? resend.fault) && (
        <div className="mb-4">
          <ErrorBar fault={(fault ?? resend.fault)!} retry={fault ? retry : undefined} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows height="h-14" />}
        {data && found.length === 0 && (
          <Empty icon={<Mail aria-hidden />} title={needle ? t('No invitation matches') : state === 'OPEN' ? t('Nobody is waiting') : t('There is none')} action={needle ? undefined : invite}>
            {!needle && t('An invitation offers a seat or a role to an e-mail address. It waits here until it is taken up, expires or is taken back.')}
          </Empty>
        )}
        {found.length > 0 && (
          <Table label={t('Invitations')}>
            <Head>
              <Th>{t('Invited')}</Th>
              <Th wide>{t('To become')}</Th>
              <Th wide>{t('By')}</Th>
              <Th wide>{t('Mail')}</Th>
              <Th wide>{t('Expires')}</Th>
              <Th>{t('State')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {found.map((i) => {
                const open = i.state === 'OPEN'
                return (
                  <tr key={i.id} className={rowClass}>
                    <Td>
                      <span className="block max-w-64 truncate font-medium max-sm:max-w-40">{i.email}</span>
                      <span className="block max-w-64 truncate text-xs text-muted max-sm:max-w-40">
                        {i.name}
                        <span className="md:hidden">
                          {i.name && ' · '}
                          {roleName[i.role]}
                        </span>
                      </span>
                    </Td>
                    <Td wide>
                      {roleName[i.role]} <span className="block text-xs text-muted">{placeName(i.scope, i.location, viewer.account.name, bothPlanes ? planeOf(i.scope) : undefined)}</span>
                    </Td>
                    <Td wide className="text-muted">
                      {i.invitedByName} <span className="block text-xs">{ago(i.createdAt)}</span>
                    </Td>
                    <Td wide className={i.mail === 'FAILED' ? 'text-bad' : 'text-muted'}>
                      <span title={i.mailError || mailWords[i.mail]}>{{ NONE: t('By hand'), QUEUED: t('On its way'), SENT: t('Sent'), FAILED: t('Failed') }[i.mail]}</span>
                    </Td>
                    <Td wide className="whitespace-nowrap text-muted">
                      {open ? <time title={utc(i.expiresAt)}>{day(i.expiresAt)}</time> : '–'}
                    </Td>
                    <Td>
                      <Badge tone={states[i.state].tone}>{states[i.state].label}</Badge>
                    </Td>
                    <Td className="w-0">
                      {(open || i.state === 'EXPIRED') && may(i, 'invitation.create') && (
                        <Menu
                          trigger={
                            <Button variant="ghost" size="icon" aria-label={t('Actions for {{name}}', { name: i.email })} disabled={resend.busy}>
                              <MoreHorizontal aria-hidden />
                            </Button>
                          }
                        >
                          <MenuItem onClick={() => again(i)}>
                            <RotateCw aria-hidden /> {t('Send again with a new link')}
                          </MenuItem>
                          {open && (
                            <MenuItem danger onClick={() => setRevoking(i)}>
                              <X aria-hidden /> {t('Take back')}
                            </MenuItem>
                          )}
                        </Menu>
                      )}
                    </Td>
                  </tr>
                )
              })}
            </tbody>
          </Table>
        )}
        {rows.length > 0 && (
          <TableFoot more={more} busy={fetching}>
            {t('{{count}} invitations', { count: total ?? rows.length })}
          </TableFoot>
        )}
      </Card>
      {revoking && <Revoke invitation={revoking} onClose={() => setRevoking(undefined)} />}
      {link && <Links links={[link]} onDone={() => setLink(undefined)} />}
    </>
  )
}

function Revoke({ invitation, onClose }: { invitation: InvitationPartsFragment; onClose: () => void }) {
  const revoke = useMutate(InvitationRevokeDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await revoke.run({ input: { invitationId: invitation.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The invitation of {{email}} is taken back', { email: invitation.email }))
    onClose()
  }
  return (
    <Confirm title={t('Take the invitation of {{email}} back?', { email: invitation.email })} action={t('Take back')} keep={t('Keep it')} busy={revoke.busy} fault={revoke.fault} error={error} onConfirm={run} onClose={onClose}>
      <p>{t('Its link is refused from now on. You can invite them again at any time.')}</p>
    </Confirm>
  )
}
