import { ShieldCheck, X } from 'lucide-react'
import { useState } from 'react'
import { type RolePartsFragment, RolesDocument } from '@/graphql/generated/graphql'
import { usePages } from '@/graphql/pages'
import { may, readsAccount, useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { placeName, roleMeans, roleName, UnbindRole, usePlaneOf } from '@/features/roles'

/** Every role at a node and below. */
export function RoleTable({ scopeId, needle, onPeek }: { scopeId: string; needle: string; onPeek: (userId: string) => void }) {
  const viewer = useViewer()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(RolesDocument, { scopeId, below: true, whole: readsAccount(viewer) && !viewer.isPlatformStaff }, (d) => d.access?.roleBindings)
  const planeOf = usePlaneOf()
  const [unbinding, setUnbinding] = useState<RolePartsFragment>()
  const found = rows.filter((b) => `${b.user.name} ${b.user.email} ${placeName(b.scope, b.location, viewer.account.name, planeOf(b.scope))}`.toLowerCase().includes(needle.toLowerCase()))
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={6} height="h-14" />}
        {data && found.length === 0 && <Empty icon={<ShieldCheck aria-hidden />} title={needle ? t('No role matches') : t('Nobody has a role yet')} />}
        {found.length > 0 && (
          <Table label={t('Admins and auditors')}>
            <Head>
              <Th>{t('Person')}</Th>
              <Th>{t('Role')}</Th>
              <Th wide>{t('Given by')}</Th>
              <Th wide>{t('Since')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {found.map((b) => (
                <tr key={b.id} className={rowClass}>
                  <Td>
                    <div className="flex min-w-0 items-center gap-3">
                      <span className="max-sm:hidden">
                        <Avatar name={b.user.name} />
                      </span>
                      <div className="min-w-0">
                        <button type="button" data-row-link onClick={() => onPeek(b.user.id)} className="block rounded-sm text-start font-medium hover:underline">
                          {b.user.name}
                        </button>
                        <span className="block max-w-64 truncate text-xs text-muted max-sm:max-w-36">{b.user.email}</span>
                      </div>
                    </div>
                  </Td>
                  <Td title={roleMeans(b.role, b.scope.kind)}>
                    <Badge tone={b.role === 'ADMIN' ? 'accent' : 'plain'}>{roleName[b.role]}</Badge>
                    <span className="mt-0.5 block max-w-72 truncate text-xs text-muted max-sm:max-w-28">{placeName(b.scope, b.location, viewer.account.name, planeOf(b.scope))}</span>
                  </Td>
                  <Td wide className="text-muted">
                    {b.identityProvider ? t('{{provider}}, by group', { provider: b.identityProvider.name }) : t('A person')}
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
      {unbinding && <UnbindRole binding={unbinding} onClose={() => setUnbinding(undefined)} />}
    </>
  )
}
