import { MailPlus, ShieldCheck, X } from 'lucide-react'
import { useState } from 'react'
import { type RolePartsFragment, RolesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may, useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { Segments } from '@/kit/toggle'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { useUrl } from '@/lib/url'
import { InvitationList } from '@/features/invitations'
import { UnbindRole } from '@/features/roles'
import { InviteStaff } from './invite'
import { staffRole } from './words'

type Tab = 'roles' | 'invitations'

/** Who runs the platform, and who is invited to. */
export function StaffPage() {
  const viewer = useViewer()
  const [url, setUrl] = useUrl<{ tab: string; new: string }>()
  const tab: Tab = url.tab === 'invitations' ? 'invitations' : 'roles'
  // The platform is the account of its staff, and a scope of the same id.
  const scopeId = viewer.account.id
  const { data, rows, loading, fetching, fault, retry, more } = usePages(RolesDocument, { scopeId, below: false, whole: false }, (d) => d.access?.roleBindings)
  const [unbinding, setUnbinding] = useState<RolePartsFragment>()
  const mayInvite = may(data?.access?.scope, 'invitation.create')
  useKeys({ c: () => mayInvite && setUrl({ new: 'staff' }) })
  const invite = mayInvite && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'staff' })}>
      <MailPlus aria-hidden /> {t('Invite staff')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Staff')} note={t('Super admins run the platform, auditors look. Neither sees into an account without a support access.')}>
        {invite}
      </PageHead>
      <Segments<Tab>
        label={t('Show')}
        className="mb-4"
        value={tab}
        onChange={(next) => setUrl({ tab: next === 'roles' ? undefined : next })}
        options={[
          { value: 'roles', label: t('People') },
          { value: 'invitations', label: t('Invitations') },
        ]}
      />
      {tab === 'invitations' && <InvitationList scopeId={scopeId} invite={invite} />}
      {tab === 'roles' && (
        <>
          {fault && (
            <div className="mb-4">
              <ErrorBar fault={fault} retry={retry} />
            </div>
          )}
          <Card>
            {loading && <SkeletonRows rows={4} height="h-14" />}
            {data?.access && rows.length === 0 && <Empty icon={<ShieldCheck aria-hidden />} title={t('Nobody has a role here')} action={invite} />}
            {rows.length > 0 && (
              <Table label={t('Staff')}>
                <Head>
                  <Th>{t('Person')}</Th>
                  <Th>{t('Role')}</Th>
                  <Th wide>{t('Since')}</Th>
                  <Th>
                    <span className="sr-only">{t('Actions')}</span>
                  </Th>
                </Head>
                <tbody>
                  {rows.map((b) => (
                    <tr key={b.id} className={rowClass}>
                      <Td>
                        <div className="flex min-w-0 items-center gap-3">
                          <span className="max-sm:hidden">
                            <Avatar name={b.user.name} />
                          </span>
                          <div className="min-w-0">
                            <span className="block font-medium">
                              {b.user.name} {b.user.id === viewer.user?.id && <span className="font-normal text-muted">{t('(you)')}</span>}
                            </span>
                            <span className="block max-w-64 truncate text-xs text-muted max-sm:max-w-36">{b.user.email}</span>
                          </div>
                        </div>
                      </Td>
                      <Td>
                        <span className="flex flex-wrap gap-1">
                          <Badge tone={b.role === 'ADMIN' ? 'accent' : 'plain'}>{staffRole[b.role]}</Badge>
                          {b.user.status !== 'ACTIVE' && <Badge tone="warn">{t('Deactivated')}</Badge>}
                        </span>
                      </Td>
                      <Td wide className="whitespace-nowrap text-muted">
                        <time title={utc(b.createdAt)}>{day(b.createdAt)}</time>
                      </Td>
                      <Td className="w-0 text-end">
                        {may(b, 'role.bind') && (
                          <Button variant="ghost" size="sm" onClick={() => setUnbinding(b)} aria-label={t('Withdraw the role of {{name}}', { name: b.user.name })}>
                            <X aria-hidden /> <span className="max-sm:hidden">{t('Withdraw')}</span>
                          </Button>
                        )}
                      </Td>
                    </tr>
                  ))}
                </tbody>
              </Table>
            )}
            <TableFoot more={more} busy={fetching} />
          </Card>
        </>
      )}
      {url.new === 'staff' && mayInvite && <InviteStaff scopeId={scopeId} onClose={() => setUrl({ new: undefined })} />}
      {unbinding && <UnbindRole binding={unbinding} onClose={() => setUnbinding(undefined)} />}
    </>
  )
}
