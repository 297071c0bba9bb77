import { AppWindow, Ban } from 'lucide-react'
import { useState } from 'react'
import { type AuthorizationPartsFragment, AuthorizationRevokeDocument, AuthorizationsDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

/** Programs that the viewer lets act for them. */
export function AuthorizationList() {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(AuthorizationsDocument, {}, (d) => d.viewer.authorizations)
  const [revoking, setRevoking] = useState<AuthorizationPartsFragment>()
  return (
    <>
      <Card>
        <CardHead title={t('Authorized programs')} note={t('Programs of others that act for you, each with what you allowed it.')} />
        <div className="border-t border-line">
          {fault && (
            <div className="p-3">
              <ErrorBar fault={fault} retry={retry} />
            </div>
          )}
          {loading && <SkeletonRows rows={3} height="h-18" />}
          {data?.viewer.authorizations && rows.length === 0 && (
            <Empty icon={<AppWindow aria-hidden />} title={t('No program acts for you')}>
              {t('When a program asks for access, you decide on a page of Cockpit; afterwards it stands here.')}
            </Empty>
          )}
          <ul>
            {rows.map((a) => (
              <li key={a.id} className="flex items-start gap-3 border-b border-line px-4 py-3 last:border-b-0">
                <AppWindow aria-hidden className="mt-0.5 size-5 shrink-0 text-muted max-sm:hidden" />
                <div className="min-w-0 grow">
                  <p className="font-medium">{a.clientName}</p>
                  <p className="text-xs text-muted">
                    <time title={utc(a.createdAt)}>{t('Allowed {{when}}', { when: day(a.createdAt) })}</time> · {a.lastUsedAt ? <time title={utc(a.lastUsedAt)}>{t('used {{when}}', { when: ago(a.lastUsedAt) })}</time> : t('never used')} ·{' '}
                    <time title={utc(a.expiresAt)}>{t('until {{when}}', { when: day(a.expiresAt) })}</time>
                  </p>
                  <details className="mt-1">
                    <summary className="inline-flex min-h-6 cursor-pointer items-center rounded-sm text-xs text-muted underline decoration-line-strong underline-offset-4">{t('What it may do')}</summary>
                    <ul className="mt-1 list-disc ps-5 text-xs">
                      {a.permissions.map((p) => (
                        <li key={p.name}>
                          {p.about} <code className="font-mono text-muted">{p.name}</code>
                        </li>
                      ))}
                    </ul>
                  </details>
                </div>
                <Button variant="ghost" size="sm" onClick={() => setRevoking(a)} aria-label={t('Withdraw access of {{name}}', { name: a.clientName })}>
                  <Ban aria-hidden /> <span className="max-sm:hidden">{t('Withdraw')}</span>
                </Button>
              </li>
            ))}
          </ul>
          <TableFoot more={more} busy={fetching} />
        </div>
      </Card>
      {revoking && <Withdraw authorization={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  )
}

function Withdraw({ authorization: a, onClose }: { authorization: AuthorizationPartsFragment; onClose: () => void }) {
  const revoke = useMutate(AuthorizationRevokeDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await revoke.run({ input: { authorizationId: a.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} no longer acts for you', { name: a.clientName }))
    onClose()
  }
  return (
    <Confirm title={t('Withdraw the access of {{name}}?', { name: a.clientName })} action={t('Withdraw access')} keep={t('Keep it')} busy={revoke.busy} fault={revoke.fault} error={error} onConfirm={run} onClose={onClose}>
      <p>{t('Its tokens are refused within a second. It can ask you again at any time.')}</p>
    </Confirm>
  )
}
