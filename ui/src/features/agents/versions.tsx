import { useState } from 'react'
import { AgentRollbackDocument, AgentVersionRetireDocument, type AgentPartsFragment, AgentVersionsDocument, type AgentVersionsQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Dialog } from '@/kit/dialog'
import { TableFoot } from '@/kit/more'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Changes } from './changes'

type Node = Extract<NonNullable<AgentVersionsQuery['node']>, { versions: unknown }>
type Version = NonNullable<Node['versions']>['edges'][number]['node']

/** What was published: each can be compared, brought back or kept from coming back. */
export function Versions({ agent }: { agent: AgentPartsFragment }) {
  const { data, rows, loading, fetching, fault, retry, more } = usePages(AgentVersionsDocument, { id: agent.id }, (d) => (d.node && 'versions' in d.node ? d.node.versions : undefined))
  const [comparing, compare] = useState<Version>()
  const [restoring, restore] = useState<Version>()
  const [retiring, retire] = useState<Version>()
  const publishes = may(agent, 'agent.publish')
  return (
    <Card>
      <CardHead title={t('Versions')} note={t('Published definitions never change; going back publishes an older one anew.')} />
      {fault && (
        <div className="p-3">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonRows rows={3} />}
      {data && rows.length === 0 && <Empty title={t('Nothing is published yet')}>{t('Publish the draft when it answers as it should.')}</Empty>}
      <ul className="border-t border-line">
        {rows.map((v) => (
          <li key={v.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-b-0">
            <div className="min-w-0 grow basis-64">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {t('Version {{n}}', { n: v.number })}
                {v.number === agent.publishedVersion && <Badge tone="ok">{t('Live')}</Badge>}
                {v.retiredAt && <Badge>{t('Retired')}</Badge>}
                {v.restores && <Badge tone="info">{t('brings back {{n}}', { n: v.restores })}</Badge>}
              </p>
              {v.changelog && <p className="whitespace-pre-wrap">{v.changelog}</p>}
              <p className="text-xs text-muted">
                {v.publishedByName} · {dateTime(v.createdAt)}
              </p>
            </div>
            <Button size="sm" variant="ghost" onClick={() => compare(v)} aria-label={t('What changed in version {{n}}', { n: v.number })}>
              {t('What changed')}
            </Button>
            {publishes && v.number !== agent.publishedVersion && !v.retiredAt && (
              <>
                <Button size="sm" variant="ghost" onClick={() => retire(v)} aria-label={t('Retire version {{n}}', { n: v.number })}>
                  {t('Retire')}
                </Button>
                <Button size="sm" onClick={() => restore(v)} aria-label={t('Go back to version {{n}}', { n: v.number })}>
                  {t('Go back to it')}
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
      <TableFoot more={more} busy={fetching} />
      {comparing && (
        <Dialog open onClose={() => compare(undefined)} title={t('What changed in version {{n}}', { n: comparing.number })} description={comparing.number > 1 ? t('Compared with version {{n}}.', { n: comparing.number - 1 }) : t('The first one.')} className="max-w-2xl">
          <Changes id={agent.id} from={comparing.number - 1} to={comparing.number} />
        </Dialog>
      )}
      {restoring && <Restore agent={agent} version={restoring} onClose={() => restore(undefined)} onDone={retry} />}
      {retiring && <Retire agent={agent} version={retiring} onClose={() => retire(undefined)} onDone={retry} />}
    </Card>
  )
}

type Act = { agent: AgentPartsFragment; version: Version; onClose: () => void; onDone: () => void }

function Restore({ agent, version, onClose, onDone }: Act) {
  const { run, busy, fault } = useMutate(AgentRollbackDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await run({ input: { agentId: agent.id, number: version.number, expectedVersion: agent.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} answers as in version {{n}} again', { name: agent.name, n: version.number }))
    onDone()
    onClose()
  }
  return (
    <Confirm title={t('Go back to version {{n}}?', { n: version.number })} description={t('It is published anew, and answers from the next call on. The draft stays as it is.')} action={t('Publish it anew')} danger={false} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose}>
      {agent.publishedVersion && <Changes id={agent.id} from={agent.publishedVersion} to={version.number} />}
    </Confirm>
  )
}

function Retire({ agent, version, onClose, onDone }: Act) {
  const { run, busy, fault } = useMutate(AgentVersionRetireDocument)
  const [error, setError] = useState<string>()
  const confirm = async () => {
    const payload = await run({ input: { agentId: agent.id, number: version.number } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    onDone()
    onClose()
  }
  return <Confirm title={t('Retire version {{n}}?', { n: version.number })} description={t('Nobody can go back to it any more. It stays readable.')} action={t('Retire it')} busy={busy} error={error} fault={fault} onConfirm={() => void confirm()} onClose={onClose} />
}
