import { Link, useNavigate } from '@tanstack/react-router'
import { Bot, Plus } from 'lucide-react'
import { useState } from 'react'
import { MyAgentsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { t } from '@/lib/i18n'
import { CreateAgent } from './create'
import { AgentIcon, StateBadge } from './words'

type Props = { seat: { id: string; viewerCan: readonly { action: string; allowed: boolean; reason: string }[] } }

/** Agents that the reader may use, and those that they answer for. */
export function MyAgents({ seat }: Props) {
  const { data, loading, fault, retry } = useRead(MyAgentsDocument, {})
  const navigate = useNavigate()
  const [creating, setCreating] = useState(false)
  const usable = data?.viewer.agents ?? []
  const own = data?.viewer.ownAgents ?? []
  const creates = may(seat, 'agent.create')
  const reason = seat.viewerCan.find((p) => p.action === 'agent.create' && !p.allowed)?.reason
  return (
    <section className="mt-6">
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <h2 className="text-lg font-semibold">{t('My agents')}</h2>
        <span className="grow" />
        {(creates || reason) && (
          <Button size="sm" disabled={!creates} aria-describedby={creates ? undefined : 'no-new-agent'} onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {t('New agent')}
          </Button>
        )}
        {!creates && reason && (
          <p id="no-new-agent" className="w-full text-sm text-muted">
            {reason}
          </p>
        )}
      </div>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      {loading && <SkeletonBlock className="h-28" />}
      {data && usable.length === 0 && (
        <Card>
          <Empty icon={<Bot aria-hidden />} title={t('No agents yet')}>
            {t('Agents that are published and allowed to you show here.')}
          </Empty>
        </Card>
      )}
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {usable.map((a) => (
          <li key={a.id}>
            <Card className="h-full px-4 py-3.5">
              <div className="flex items-start gap-3">
                <AgentIcon icon={a.icon} />
                <div className="min-w-0">
                  <h3 className="font-medium break-words">{a.name}</h3>
                  <p className="text-sm text-muted">{a.purpose}</p>
                  {a.starters.length > 0 && <p className="mt-1.5 truncate text-xs text-muted">{t('“{{starter}}”', { starter: a.starters[0]! })}</p>}
                </div>
              </div>
            </Card>
          </li>
        ))}
      </ul>
      {own.length > 0 && (
        <Card className="mt-3">
          <h3 className="border-b border-line px-4 py-2.5 text-sm font-semibold">{t('Agents I answer for')}</h3>
          <ul>
            {own.map((a) => (
              <li key={a.id} className="border-b border-line last:border-b-0">
                <Link to="/me/agents/$agent" params={{ agent: a.id }} className="flex items-center gap-3 px-4 py-2.5 hover:bg-hover/60">
                  <AgentIcon icon={a.icon} />
                  <span className="min-w-0 grow">
                    <span className="block font-medium">{a.name}</span>
                    <span className="block truncate text-xs text-muted">{a.publishedVersion ? t('Version {{n}} live', { n: a.publishedVersion }) : t('Nothing published')}</span>
                  </span>
                  <StateBadge agent={a} />
                </Link>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {creating && <CreateAgent ownerId={seat.id} onClose={() => setCreating(false)} onMade={(id) => void navigate({ to: '/me/agents/$agent', params: { agent: id } })} />}
    </section>
  )
}
