import { Laptop, LogOut, Smartphone } from 'lucide-react'
import type { ReactNode } from 'react'
import { type SessionKind, type SessionPartsFragment, SessionRevokeDocument, UserSessionsDocument, UserSessionsRevokeDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { agentName } from './agent'

export const sessionKinds: Record<SessionKind, string> = {
  PASSWORD: t('by password'),
  SSO: t('by single sign-on'),
  SUPPORT: t('support access'),
  BREAK_GLASS: t("by the operator's break-glass"),
}

type ListProps = { rows: readonly SessionPartsFragment[]; more?: () => void; busy?: boolean; /** Without it, one can only look. */ revocable: boolean; foot?: ReactNode }

/** Signed-in browsers; one can be ended where that is allowed. */
export function SessionRows({ rows, more, busy, revocable, foot }: ListProps) {
  const revoke = useMutate(SessionRevokeDocument)
  const end = async (s: SessionPartsFragment) => {
    const payload = await revoke.run({ input: { sessionId: s.id } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? t('{{agent}} is signed out', { agent: agentName(s.userAgent) }))
  }
  return (
    <>
      {revoke.fault && <ErrorBar fault={revoke.fault} />}
      <ul className="rounded-lg border border-line bg-surface">
        {rows.map((s) => {
          const Icon = /Mobile|Android|iPhone/.test(s.userAgent) ? Smartphone : Laptop
          return (
            <li key={s.id} className="flex items-center gap-3 border-b border-line px-3.5 py-2.5 last:border-b-0">
              <Icon aria-hidden className="size-5 shrink-0 text-muted max-sm:hidden" />
              <span className="min-w-0 grow">
                <span className="flex flex-wrap items-center gap-x-2">
                  <span className="font-medium" title={s.userAgent}>
                    {agentName(s.userAgent)}
                  </span>
                  {s.current && <Badge tone="ok">{t('This browser')}</Badge>}
                </span>
                <span className="block text-xs text-muted">
                  {s.ip} · {sessionKinds[s.kind]} · <time title={utc(s.createdAt)}>{t('since {{when}}', { when: dateTime(s.createdAt) })}</time>
                </span>
              </span>
              <time className="text-end text-xs text-muted max-sm:hidden" title={utc(s.lastSeenAt)}>
                {t('Seen {{when}}', { when: ago(s.lastSeenAt) })}
              </time>
              {revocable && !s.current && (
                <Button variant="ghost" size="sm" disabled={revoke.busy} onClick={() => end(s)} aria-label={t('Sign out {{agent}}, {{ip}}', { agent: agentName(s.userAgent), ip: s.ip })}>
                  <LogOut aria-hidden /> <span className="max-sm:hidden">{t('Sign out')}</span>
                </Button>
              )}
            </li>
          )
        })}
        {(more || foot) && (
          <li>
            <TableFoot more={more} busy={busy}>
              {foot}
            </TableFoot>
          </li>
        )}
      </ul>
    </>
  )
}

/** Ends all sessions of somebody but the one that asks. */
export function EndSessions({ userId, label }: { userId: string; label: string }) {
  const revoke = useMutate(UserSessionsRevokeDocument)
  const end = async () => {
    const payload = await revoke.run({ input: { userId } })
    if (!payload) return
    toast(payload.errors[0]?.message ?? t('{{count}} sessions ended', { count: payload.count }))
  }
  return (
    <>
      <Button size="sm" busy={revoke.busy} onClick={end}>
        <LogOut aria-hidden /> {label}
      </Button>
      {revoke.fault && <ErrorBar fault={revoke.fault} />}
    </>
  )
}

/** Sessions of somebody of the account, for its admins and auditors. */
export function UserSessions({ userId, revocable }: { userId: string; revocable: boolean }) {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(UserSessionsDocument, { userId }, (d) => d.account?.sessions)
  return (
    <div className="flex flex-col items-start gap-3 *:w-full">
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={3} />}
      {data?.account?.sessions && rows.length === 0 && <Empty icon={<Laptop aria-hidden />} title={t('Not signed in anywhere')} />}
      {rows.length > 0 && <SessionRows rows={rows} more={more} busy={fetching} revocable={revocable} />}
      {rows.length > 0 && revocable && (
        <div>
          <EndSessions userId={userId} label={t('End all sessions')} />
        </div>
      )}
    </div>
  )
}
