import { Blocks, MoreHorizontal, Pencil, Play, Plus, RotateCw, Ban, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { type ProgramPartsFragment, PlatformProgramsDocument, ProgramsDocument, ServiceClientUpdateDocument } from '@/graphql/generated/graphql'
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
import { ago, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { nameOf, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { DeleteProgram, DisableProgram, RotateSecret } from './actions'
import { ways } from './draft'
import { ProgramForm } from './form'
import { ProgramPeek } from './peek'

/** Programs of the account. */
export function ProgramsPage() {
  const { account } = useViewer()
  const list = usePages(ProgramsDocument, {}, (d) => d.account?.serviceClients)
  return <List {...list} known={Boolean(list.data?.account?.serviceClients)} mayManage={may(list.data?.account, 'serviceClient.manage')} platform={false} planes={account.planes} title={t('Programs')} note={t('What uses {{account}} by its API: each with permissions of its own, and never an admin by itself.', { account: account.name })} />
}

/** Programs of the platform. */
export function PlatformProgramsPage() {
  const list = usePages(PlatformProgramsDocument, {}, (d) => d.platform?.serviceClients)
  return <List {...list} known={Boolean(list.data?.platform)} mayManage={may(list.data?.platform, 'serviceClient.manage')} platform planes={['CONSOLE', 'COPILOT']} title={t('Programs')} note={t('Programs of the platform act for people of every account, as far as those may themselves.')} />
}

type Props = {
  rows: ProgramPartsFragment[]
  known: boolean
  loading: boolean
  fetching: boolean
  fault?: Parameters<typeof ErrorBar>[0]['fault']
  retry: () => void
  more?: () => void
  mayManage: boolean
  platform: boolean
  planes: readonly Plane[]
  title: string
  note: string
}

type Doing = { what: 'rotate' | 'disable' | 'delete'; program: ProgramPartsFragment }

function List({ rows, known, loading, fetching, fault, retry, more, mayManage, platform, planes, title, note }: Props) {
  const [url, setUrl] = useUrl<{ new: string; peek: string; edit: string }>()
  const [doing, setDoing] = useState<Doing>()
  const update = useMutate(ServiceClientUpdateDocument)
  useKeys({ c: () => mayManage && setUrl({ new: 'program' }) })
  const create = mayManage && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'program' })}>
      <Plus aria-hidden /> {t('New program')}
    </Button>
  )
  const enable = async (p: ProgramPartsFragment) => {
    const payload = await update.run({ input: { serviceClientId: p.id, status: 'ACTIVE', expectedVersion: p.version } })
    if (payload) toast(payload.errors[0]?.message ?? t('{{name}} works again', { name: p.name }))
  }
  const editing = mayManage ? rows.find((p) => p.id === url.edit) : undefined
  const open = rows.find((p) => p.id === url.peek)
  const close = () => setDoing(undefined)
  return (
    <>
      <PageHead title={title} note={note}>
        {rows.length > 0 && create}
      </PageHead>
      {(fault ?? update.fault) && (
        <div className="mb-4">
          <ErrorBar fault={(fault ?? update.fault)!} retry={fault ? retry : undefined} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={4} height="h-15" />}
        {known && rows.length === 0 && (
          <Empty icon={<Blocks aria-hidden />} title={t('No program yet')} action={create}>
            {t('A web app, an agent platform or an integration: made known here, it gets a client id, permissions, and a secret if it can keep one.')}
          </Empty>
        )}
        {rows.length > 0 && (
          <Table label={t('Programs')}>
            <Head>
              <Th>{t('Name')}</Th>
              <Th wide>{t('Acts')}</Th>
              <Th wide>{t('Planes')}</Th>
              <Th wide>{t('Secret')}</Th>
              <Th wide>{t('Last used')}</Th>
              <Th>{t('State')}</Th>
              <Th>
                <span className="sr-only">{t('Actions')}</span>
              </Th>
            </Head>
            <tbody>
              {rows.map((p) => (
                <tr key={p.id} className={rowClass}>
                  <Td>
                    <button type="button" data-row-link onClick={() => setUrl({ peek: p.id })} className="block rounded-sm text-start font-medium hover:underline">
                      {p.name}
                    </button>
                    <span className="block max-w-72 truncate text-xs text-muted max-sm:max-w-44">{p.description || p.id}</span>
                  </Td>
                  <Td wide className="max-w-56 text-muted">
                    {ways(p).join(', ')}
                  </Td>
                  <Td wide>
                    <span className="flex flex-wrap gap-1">
                      {p.planes.map((o) => (
                        <Badge key={o}>{nameOf(o)}</Badge>
                      ))}
                    </span>
                  </Td>
                  <Td wide className="whitespace-nowrap text-muted">
                    {p.public ? t('None: PKCE') : <code className="font-mono text-xs">…{p.secretHint}</code>}
                    {p.previousSecretHint && <span className="block text-xs text-warn">{t('and …{{hint}} still', { hint: p.previousSecretHint })}</span>}
                  </Td>
                  <Td wide className="whitespace-nowrap text-muted">
                    {p.lastUsedAt ? <time title={utc(p.lastUsedAt)}>{ago(p.lastUsedAt)}</time> : t('Never')}
                  </Td>
                  <Td>
                    <Badge tone={p.status === 'ACTIVE' ? 'ok' : 'plain'}>{p.status === 'ACTIVE' ? t('Active') : t('Disabled')}</Badge>
                  </Td>
                  <Td className="w-0">
                    {may(p, 'serviceClient.manage') && (
                      <Menu
                        trigger={
                          <Button variant="ghost" size="icon" aria-label={t('Actions for {{name}}', { name: p.name })}>
                            <MoreHorizontal aria-hidden />
                          </Button>
                        }
                      >
                        <MenuItem onClick={() => setUrl({ edit: p.id })}>
                          <Pencil aria-hidden /> {t('Change')}
                        </MenuItem>
                        {!p.public && (
                          <MenuItem onClick={() => setDoing({ what: 'rotate', program: p })}>
                            <RotateCw aria-hidden /> {t('Rotate secret')}
                          </MenuItem>
                        )}
                        {p.status === 'ACTIVE' ? (
                          <MenuItem onClick={() => setDoing({ what: 'disable', program: p })}>
                            <Ban aria-hidden /> {t('Disable')}
                          </MenuItem>
                        ) : (
                          <MenuItem onClick={() => enable(p)}>
                            <Play aria-hidden /> {t('Enable')}
                          </MenuItem>
                        )}
                        <MenuLine />
                        <MenuItem danger onClick={() => setDoing({ what: 'delete', program: p })}>
                          <Trash2 aria-hidden /> {t('Delete')}
                        </MenuItem>
                      </Menu>
                    )}
                  </Td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
        <TableFoot more={more} busy={fetching} />
      </Card>
      {url.new === 'program' && mayManage && <ProgramForm platform={platform} planes={planes} onClose={() => setUrl({ new: undefined })} />}
      {editing && <ProgramForm key={editing.id} program={editing} platform={platform} planes={planes} onClose={() => setUrl({ edit: undefined })} />}
      {open && <ProgramPeek key={open.id} program={open} onClose={() => setUrl({ peek: undefined })} />}
      {doing?.what === 'rotate' && <RotateSecret program={doing.program} onClose={close} />}
      {doing?.what === 'disable' && <DisableProgram program={doing.program} onClose={close} />}
      {doing?.what === 'delete' && <DeleteProgram program={doing.program} onClose={close} />}
    </>
  )
}
