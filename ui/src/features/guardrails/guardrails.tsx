import { Ban, MoreHorizontal, Pencil, Play, Plus, ShieldHalf, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { type GuardrailPartsFragment, GuardrailDeleteDocument, GuardrailRootDocument, GuardrailsDocument, GuardrailTemplatesDocument, GuardrailUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Menu, MenuItem, MenuLine } from '@/kit/menu'
import { TableFoot } from '@/kit/more'
import { PageHead } from '@/kit/page'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'
import { useUrl } from '@/lib/url'
import { placeName, useWithin } from '@/features/roles'
import { ByPlace } from './by-place'
import { GuardrailEditor, type Template } from './editor'
import { GuardrailPeek } from './peek'

type Doing = { what: 'disable' | 'delete'; preset: GuardrailPartsFragment }
type Tab = 'all' | 'place'

const calls = (p: GuardrailPartsFragment) => (p.findings ?? []).reduce((sum, f) => sum + f.calls, 0)

/** The guardrails of a plane, where they hold, and what they found. */
export function GuardrailsPage({ plane }: { plane: Plane }) {
  const root = pick(useRead(GuardrailRootDocument, ask(plane)).data)
  return root ? <Guardrails plane={plane} rootId={root.id} mayManage={may(root, 'guardrail.manage')} /> : <SkeletonRows rows={3} height="h-15" />
}

function Guardrails({ plane, rootId, mayManage }: { plane: Plane; rootId: string; mayManage: boolean }) {
  const account = useViewer().account.name
  const { rows, loading, fetching, fault, retry, more } = usePages(GuardrailsDocument, { scopeId: rootId }, (d) => d.guardrailPresets)
  const templates = useRead(GuardrailTemplatesDocument, {}).data?.guardrailTemplates ?? []
  const [url, setUrl] = useUrl<{ peek: string; tab: string; scope: string }>()
  const [doing, setDoing] = useState<Doing>()
  const [making, setMaking] = useState<{ template?: Template; preset?: GuardrailPartsFragment }>()
  const update = useMutate(GuardrailUpdateDocument)
  const { allowed: mayAssign } = useWithin('grant.set', plane) // the same people
  const tab: Tab = url.tab === 'place' ? 'place' : 'all'
  const enable = async (p: GuardrailPartsFragment) => {
    const payload = await update.run({ input: { presetId: p.id, status: 'ACTIVE', expectedVersion: p.version } })
    if (payload) toast(payload.errors[0]?.message ?? t('{{name}} holds again', { name: p.name }))
  }
  const create = mayManage && (
    <Menu
      trigger={
        <Button variant="primary" size="sm">
          <Plus aria-hidden /> {t('New guardrail')}
        </Button>
      }
    >
      {templates.map((x) => (
        <MenuItem key={x.id} onClick={() => setMaking({ template: x })}>
          {t('From {{name}}', { name: x.name })}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onClick={() => setMaking({})}>{t('Empty')}</MenuItem>
    </Menu>
  )
  const open = rows.find((p) => p.id === url.peek)
  const any = fault ?? update.fault
  const where = (p: GuardrailPartsFragment) => ((p.assignments ?? []).length === 0 ? t('Nowhere yet') : (p.assignments ?? []).length > 2 ? t('{{count}} places', { count: (p.assignments ?? []).length }) : (p.assignments ?? []).map((a) => placeName(a.scope, a.location, account)).join(', '))
  return (
    <>
      <PageHead title={t('Guardrails')} note={t('Rules on what goes into the models and tools of {{plane}}, and what comes out.', { plane: nameOf(plane) })}>
        {create}
      </PageHead>
      <Segments<Tab> label={t('Show')} value={tab} onChange={(next) => setUrl({ tab: next === 'all' ? undefined : next })} options={[{ value: 'all', label: t('All guardrails') }, { value: 'place', label: t('By place') }]} className="mb-4" />
      {any && (
        <div className="mb-4">
          <ErrorBar fault={any} retry={fault ? retry : undefined} />
        </div>
      )}
      {tab === 'place' && <ByPlace plane={plane} scopeId={url.scope ?? rootId} onChange={(scope) => setUrl({ scope })} />}
      {tab === 'all' && (
        <Card>
          {loading && <SkeletonRows rows={3} height="h-15" />}
          {!loading && !fault && rows.length === 0 && (
            <Empty icon={<ShieldHalf aria-hidden />} title={t('No guardrail yet')} action={create}>
              {t('Keep personal data, keys and attempts to mislead a model out of your calls. Begin with one that comes along.')}
            </Empty>
          )}
          {rows.length > 0 && (
            <Table label={t('Guardrails')}>
              <Head>
                <Th>{t('Name')}</Th>
                <Th wide>{t('Assigned to')}</Th>
                <Th wide>{t('Found in 30 days')}</Th>
                <Th>{t('State')}</Th>
                <Th>
                  <span className="sr-only">{t('Actions')}</span>
                </Th>
              </Head>
              <tbody>
                {rows.map((p) => (
                  <tr key={p.id} className={rowClass}>
                    <Td className="max-w-40 sm:max-w-80">
                      <button type="button" data-row-link onClick={() => setUrl({ peek: p.id })} className="block max-w-full truncate rounded-sm text-start font-medium hover:underline">
                        {p.name}
                      </button>
                      <span className="block truncate text-xs text-muted">{p.description || t('{{count}} rules', { count: (p.rules ?? []).length })}</span>
                    </Td>
                    <Td wide className="text-muted">
                      {where(p)}
                    </Td>
                    <Td wide className="text-muted tabular-nums">
                      {calls(p) > 0 ? t('{{count}} calls', { count: calls(p) }) : t('Nothing')}
                    </Td>
                    <Td>
                      <Badge tone={p.status === 'DISABLED' ? 'plain' : (p.assignments ?? []).length > 0 ? 'ok' : 'warn'} dot>
                        {p.status === 'DISABLED' ? t('Disabled') : (p.assignments ?? []).length > 0 ? t('Holds') : t('Not assigned')}
                      </Badge>
                    </Td>
                    <Td className="w-12 text-end">
                      {mayManage && (
                        <Menu
                          trigger={
                            <Button variant="ghost" size="icon" aria-label={t('Actions for {{name}}', { name: p.name })}>
                              <MoreHorizontal aria-hidden />
                            </Button>
                          }
                        >
                          <MenuItem onClick={() => setMaking({ preset: p })}>
                            <Pencil aria-hidden /> {t('Change')}
                          </MenuItem>
                          {p.status === 'ACTIVE' ? (
                            <MenuItem onClick={() => setDoing({ what: 'disable', preset: p })}>
                              <Ban aria-hidden /> {t('Disable')}
                            </MenuItem>
                          ) : (
                            <MenuItem onClick={() => enable(p)}>
                              <Play aria-hidden /> {t('Enable')}
                            </MenuItem>
                          )}
                          <MenuLine />
                          <MenuItem danger onClick={() => setDoing({ what: 'delete', preset: p })}>
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
      )}
      {making && <GuardrailEditor scopeId={rootId} preset={making.preset} template={making.template} onClose={() => (setMaking(undefined), retry())} />}
      {open && !making && <GuardrailPeek key={open.id} plane={plane} preset={open} mayAssign={mayAssign} onChange={mayManage ? () => setMaking({ preset: open }) : undefined} onClose={() => setUrl({ peek: undefined })} />}
      {doing && <Ask doing={doing} onClose={() => (setDoing(undefined), retry())} />}
    </>
  )
}

function Ask({ doing: { what, preset: p }, onClose }: { doing: Doing; onClose: () => void }) {
  const update = useMutate(GuardrailUpdateDocument)
  const drop = useMutate(GuardrailDeleteDocument)
  const [error, setError] = useState<string>()
  const disable = what === 'disable'
  const run = async () => {
    const payload = disable ? await update.run({ input: { presetId: p.id, status: 'DISABLED', expectedVersion: p.version } }) : await drop.run({ input: { presetId: p.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(disable ? t('{{name}} is disabled', { name: p.name }) : t('{{name}} is deleted', { name: p.name }))
    onClose()
  }
  return (
    <Confirm title={disable ? t('Disable {{name}}?', { name: p.name }) : t('Delete {{name}}?', { name: p.name })} action={disable ? t('Disable guardrail') : t('Delete guardrail')} keep={t('Keep it')} busy={update.busy || drop.busy} fault={update.fault ?? drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <p>{disable ? t('Within a second it guards nothing any more, wherever it is assigned.') : t('Its rules are gone for good. What it found stays in the audit log.')}</p>
    </Confirm>
  )
}
