import { Ban, KeySquare, Plus } from 'lucide-react'
import { useState } from 'react'
import { PersonalTokenRevokeDocument, PersonalTokensDocument, type TokenPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { ago, day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { CreateToken } from './create'

/** Tokens of the viewer's own. */
export function TokenList() {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(PersonalTokensDocument, {}, (d) => d.viewer.personalTokens)
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<TokenPartsFragment>()
  const grantable = data?.viewer.grantable ?? []
  const create = grantable.length > 0 && (
    <Button size="sm" variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> {t('New token')}
    </Button>
  )
  return (
    <>
      <Card>
        <CardHead title={t('Personal tokens')} note={t('Let scripts use the API in your name, with the permissions you choose.')}>
          {rows.length > 0 && create}
        </CardHead>
        <div className="border-t border-line">
          {fault && (
            <div className="p-3">
              <ErrorBar fault={fault} retry={retry} />
            </div>
          )}
          {loading && <SkeletonRows rows={4} height="h-16" />}
          {data?.viewer.personalTokens && rows.length === 0 && (
            <Empty icon={<KeySquare aria-hidden />} title={t('No tokens yet')} action={create}>
              {t('A token is for a script of your own. Programs of others get access by asking you, with a page of their own.')}
            </Empty>
          )}
          {rows.length > 0 && (
            <Table label={t('Personal tokens')}>
              <Head>
                <Th>{t('Name')}</Th>
                <Th wide>{t('May')}</Th>
                <Th wide>{t('Last used')}</Th>
                <Th>{t('Expires')}</Th>
                <Th>
                  <span className="sr-only">{t('Actions')}</span>
                </Th>
              </Head>
              <tbody>
                {rows.map((token) => (
                  <tr key={token.id} className={rowClass}>
                    <Td>
                      <span className="block font-medium">{token.name}</span>
                      <code className="font-mono text-xs text-muted">{token.prefix}</code>
                    </Td>
                    <Td wide>
                      <span className="flex max-w-md flex-wrap gap-1">
                        {token.permissions.map((p) => (
                          <span key={p.name} title={p.about}>
                            <Badge>{p.name}</Badge>
                          </span>
                        ))}
                      </span>
                    </Td>
                    <Td wide className="whitespace-nowrap text-muted">
                      {token.lastUsedAt ? <time title={utc(token.lastUsedAt)}>{ago(token.lastUsedAt)}</time> : t('Never')}
                    </Td>
                    <Td className="whitespace-nowrap text-muted">
                      <time title={utc(token.expiresAt)}>{day(token.expiresAt)}</time>
                    </Td>
                    <Td className="w-0 text-end">
                      <Button variant="ghost" size="sm" onClick={() => setRevoking(token)} aria-label={t('Revoke {{name}}', { name: token.name })}>
                        <Ban aria-hidden /> <span className="max-sm:hidden">{t('Revoke')}</span>
                      </Button>
                    </Td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
          <TableFoot more={more} busy={fetching} />
        </div>
      </Card>
      {creating && <CreateToken grantable={grantable} onClose={() => setCreating(false)} />}
      {revoking && <RevokeToken token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  )
}

function RevokeToken({ token, onClose }: { token: TokenPartsFragment; onClose: () => void }) {
  const revoke = useMutate(PersonalTokenRevokeDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await revoke.run({ input: { personalTokenId: token.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is revoked', { name: token.name }))
    onClose()
  }
  return (
    <Confirm title={t('Revoke {{name}}?', { name: token.name })} description={token.prefix} action={t('Revoke token')} keep={t('Keep it')} busy={revoke.busy} fault={revoke.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('Every request with it is refused within a second.')}</li>
        <li>{token.lastUsedAt ? t('It was last used {{when}}.', { when: ago(token.lastUsedAt) }) : t('It was never used.')}</li>
        <li>{t("It can't be brought back.")}</li>
      </ul>
    </Confirm>
  )
}
