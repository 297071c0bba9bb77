import { DoorOpen, LifeBuoy, LogIn } from 'lucide-react'
import { useState } from 'react'
import { useClient } from 'urql'
import { toFault } from '@/graphql/fault'
import { SupportEndDocument, SupportEnterDocument, SupportOfDocument, type SupportPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may, useViewer, type Viewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { dateTime, timeOfDay, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ending, reads } from './words'

type Props = { accountId: string; /** For staff: going in again by an access of one's own. */ onEnter?: (viewer: Viewer) => void }

/** Visits of the platform's staff in an account, as both sides see them. */
export function SupportList({ accountId, onEnter }: Props) {
  const self = useViewer()
  const client = useClient()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(SupportOfDocument, { accountId }, (d) => d.account?.supportAccesses)
  const [stopping, setStopping] = useState<SupportPartsFragment>()
  const mayEnd = may(data?.account, 'support.end')
  const enter = async (a: SupportPartsFragment) => {
    const result = await client.mutation(SupportEnterDocument, { input: { supportAccessId: a.id } })
    const payload = result.data?.supportAccessEnter
    if (payload?.viewer) return onEnter?.(payload.viewer)
    toast(result.error ? toFault(result.error).message : (payload?.errors[0]?.message ?? t('It was refused.')))
  }
  return (
    <>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={4} height="h-15" />}
        {data?.account?.supportAccesses && rows.length === 0 && (
          <Empty icon={<LifeBuoy aria-hidden />} title={t('Nobody of the platform was ever in here')}>
            {t('A visit needs a reason, ends by itself, and stands here and in the audit log from its first second.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Support accesses')}>
            <Head>
              <Th>{t('Who and why')}</Th>
              <Th wide>{t('May')}</Th>
              <Th wide>{t('From')}</Th>
              <Th wide>{t('To')}</Th>
              <Th>{t('State')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {rows.map((a) => {
                const how = ending(a)
                return (
                  <tr key={a.id} className={rowClass}>
                    <Td>
                      <span className="font-medium">{a.staffName}</span> <span className="text-xs text-muted max-md:hidden">{a.staffEmail}</span>
                      <span className="block max-w-md text-xs text-muted">{a.reason}</span>
                      <span className="block text-xs text-muted md:hidden">
                        {dateTime(a.createdAt)} · {reads(a.writes)}
                      </span>
                    </Td>
                    <Td wide>{a.writes ? <Badge tone="warn">{t('Read and change')}</Badge> : <Badge>{t('Read only')}</Badge>}</Td>
                    <Td wide className="whitespace-nowrap text-muted">
                      <time title={utc(a.createdAt)}>{dateTime(a.createdAt)}</time>
                    </Td>
                    <Td wide className="whitespace-nowrap text-muted">
                      <time title={utc(a.endedAt ?? a.expiresAt)}>{how === 'open' ? t('{{time}} at the latest', { time: timeOfDay(a.expiresAt) }) : dateTime(a.endedAt ?? a.expiresAt)}</time>
                    </Td>
                    <Td>
                      {how === 'open' ? (
                        <Badge tone="bad" dot>
                          {t('Inside now')}
                        </Badge>
                      ) : (
                        <span className="text-xs text-muted">{how === 'ended' ? (a.endedByName ? t('Ended by {{name}}', { name: a.endedByName }) : t('Ended')) : t('Ran out')}</span>
                      )}
                    </Td>
                    <Td className="w-0">
                      {how === 'open' && (
                        <span className="flex justify-end gap-1.5">
                          {onEnter && a.staffEmail === self.user?.email && (
                            <Button size="sm" onClick={() => enter(a)}>
                              <LogIn aria-hidden /> {t('Enter again')}
                            </Button>
                          )}
                          {mayEnd && (
                            <Button size="sm" onClick={() => setStopping(a)} aria-label={t('End now: support access of {{name}}', { name: a.staffName })}>
                              <DoorOpen aria-hidden /> <span className="max-sm:sr-only">{t('End now')}</span>
                            </Button>
                          )}
                        </span>
                      )}
                    </Td>
                  </tr>
                )
              })}
            </tbody>
          </Table>
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
      {stopping && <End access={stopping} onClose={() => setStopping(undefined)} />}
    </>
  )
}

function End({ access: a, onClose }: { access: SupportPartsFragment; onClose: () => void }) {
  const end = useMutate(SupportEndDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await end.run({ input: { supportAccessId: a.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('The support access of {{name}} is over', { name: a.staffName }))
    onClose()
  }
  return (
    <Confirm title={t('End the support access of {{name}}?', { name: a.staffName })} description={a.reason} action={t('End now')} keep={t('Let them go on')} busy={end.busy} fault={end.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        <li>{t('They are out within a second, in every window.')}</li>
        <li>{t('What they changed stays; the audit log has every step under both names.')}</li>
      </ul>
    </Confirm>
  )
}
