import { Ban, MoreHorizontal, Pencil, Play, Plus, RotateCw, Trash2, Webhook as Icon } from 'lucide-react'
import { useState } from 'react'
import { type WebhookPartsFragment, WebhooksDocument, WebhookUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Menu, MenuItem, MenuLine } from '@/kit/menu'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { useUrl } from '@/lib/url'
import { topics } from '@/features/inbox'
import { DeleteWebhook, DisableWebhook, RotateSecret } from './actions'
import { WebhookForm } from './form'
import { WebhookPeek } from './peek'
import { stateOf } from './words'

type Doing = { what: 'rotate' | 'disable' | 'delete'; webhook: WebhookPartsFragment }

/** Where the account's events are posted. */
export function WebhooksPage() {
  const { account } = useViewer()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(WebhooksDocument, {}, (d) => d.account?.webhooks)
  const [url, setUrl] = useUrl<{ new: string; peek: string; edit: string }>()
  const [doing, setDoing] = useState<Doing>()
  const update = useMutate(WebhookUpdateDocument)
  const mayManage = may(data?.account, 'webhook.manage')
  useKeys({ c: () => mayManage && setUrl({ new: 'webhook' }) })
  const create = mayManage && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'webhook' })}>
      <Plus aria-hidden /> {t('New webhook')}
    </Button>
  )
  const enable = async (w: WebhookPartsFragment) => {
    const payload = await update.run({ input: { webhookId: w.id, status: 'ACTIVE', expectedVersion: w.version } })
    if (payload) toast(payload.errors[0]?.message ?? t('{{name}} works again', { name: w.name }))
  }
  const editing = mayManage ? rows.find((w) => w.id === url.edit) : undefined
  const open = rows.find((w) => w.id === url.peek)
  const close = () => setDoing(undefined)
  const any = fault ?? update.fault
  return (
    <>
      <PageHead title={t('Webhooks')} note={t('Events of {{account}}, posted to addresses of yours and signed, with retries.', { account: account.name })}>
        {rows.length > 0 && create}
      </PageHead>
      {any && (
        <div className="mb-4">
          <ErrorBar fault={any} retry={fault ? retry : undefined} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={3} height="h-15" />}
        {data?.account?.webhooks && rows.length === 0 && (
          <Empty icon={<Icon aria-hidden />} title={t('No webhook yet')} action={create}>
            {t('Let your chat, ticket system or own program know when a budget passes a threshold, runs out or closes its month.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Webhooks')}>
            <Head>
              <Th>{t('Name')}</Th>
              <Th wide>{t('Hears of')}</Th>
              <Th>{t('State')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {rows.map((w) => {
                const state = stateOf(w)
                return (
                  <tr key={w.id} className={rowClass}>
                    <Td className="max-w-40 sm:max-w-80">
                      <button type="button" data-row-link onClick={() => setUrl({ peek: w.id })} className="block max-w-full truncate rounded-sm text-start font-medium hover:underline">
                        {w.name}
                      </button>
                      <span className="block truncate font-mono text-xs text-muted">{w.url}</span>
                    </Td>
                    <Td wide className="text-muted">
                      {w.topics.length > 2 ? t('{{count}} topics', { count: w.topics.length }) : w.topics.map((x) => topics[x].name).join(', ')}
                    </Td>
                    <Td>
                      <Badge tone={state.tone} dot>
                        {state.name}
                      </Badge>
                    </Td>
                    <Td className="w-12 text-end">
                      {mayManage && (
                        <Menu
                          trigger={
                            <Button variant="ghost" size="icon" aria-label={t('Actions for {{name}}', { name: w.name })}>
                              <MoreHorizontal aria-hidden />
                            </Button>
                          }
                        >
                          <MenuItem onClick={() => setUrl({ edit: w.id })}>
                            <Pencil aria-hidden /> {t('Change')}
                          </MenuItem>
                          <MenuItem onClick={() => setDoing({ what: 'rotate', webhook: w })}>
                            <RotateCw aria-hidden /> {t('Rotate secret')}
                          </MenuItem>
                          {w.status === 'ACTIVE' ? (
                            <MenuItem onClick={() => setDoing({ what: 'disable', webhook: w })}>
                              <Ban aria-hidden /> {t('Disable')}
                            </MenuItem>
                          ) : (
                            <MenuItem onClick={() => enable(w)}>
                              <Play aria-hidden /> {t('Enable')}
                            </MenuItem>
                          )}
                          <MenuLine />
                          <MenuItem danger onClick={() => setDoing({ what: 'delete', webhook: w })}>
                            <Trash2 aria-hidden /> {t('Delete')}
                          </MenuItem>
                        </Menu>
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
      {url.new === 'webhook' && mayManage && <WebhookForm planes={account.planes} onClose={() => setUrl({ new: undefined })} />}
      {editing && <WebhookForm key={editing.id} webhook={editing} planes={account.planes} onClose={() => setUrl({ edit: undefined })} />}
      {open && <WebhookPeek key={open.id} webhook={open} mayManage={mayManage} onClose={() => setUrl({ peek: undefined })} />}
      {doing?.what === 'rotate' && <RotateSecret webhook={doing.webhook} onClose={close} />}
      {doing?.what === 'disable' && <DisableWebhook webhook={doing.webhook} onClose={close} />}
      {doing?.what === 'delete' && <DeleteWebhook webhook={doing.webhook} onClose={close} />}
    </>
  )
}
