import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowLeft, Bot, Rocket, Save } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { byField } from '@/graphql/fault'
import { AgentChoicesDocument, AgentDocument, type AgentPartsFragment, AgentUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may, useViewer } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Id } from '@/kit/facts'
import { SkeletonBlock } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useUrl } from '@/lib/url'
import { Acts } from './acts'
import { type Draft, draftOf, inputOf, mistakes, same } from './draft'
import { AgentBudget } from './budget'
import { Building, type Choices, Settings } from './fields'
import { ChooseGuardrail, Guardrails } from './guardrails'
import { Problems } from './problems'
import { Publish } from './publish'
import { TryPane } from './try'
import { Versions } from './versions'
import { AgentIcon, StateBadge } from './words'

/** One agent: what it says, a place to try it, and its way to those who use it. */
export function AgentPage({ id, home }: { id: string; home: 'plane' | 'me' }) {
  const { data, loading, fault, retry } = useRead(AgentDocument, { id })
  const agent = data?.node && 'purpose' in data.node ? data.node : undefined
  if (fault && !agent) return <ErrorBar fault={fault} retry={retry} />
  if (loading) return <SkeletonBlock className="h-96" />
  if (!agent) {
    return (
      <Card>
        <Empty page icon={<Bot aria-hidden />} title={t('There is no such agent')}>
          {t('It was deleted, or it lies outside of your reach.')}
        </Empty>
      </Card>
    )
  }
  return <Editor key={agent.id} agent={agent} home={home} />
}

function Editor({ agent, home }: { agent: AgentPartsFragment; home: 'plane' | 'me' }) {
  const viewer = useViewer()
  const navigate = useNavigate()
  const [url, setUrl] = useUrl<{ tab: string }>()
  const [publishing, setPublishing] = useState(false)
  const plane = { account: viewer.account.slug, plane: 'copilot' }
  const open = (id: string) => (home === 'me' ? navigate({ to: '/me/agents/$agent', params: { agent: id } }) : navigate({ to: '/a/$account/$plane/agents/$agent', params: { ...plane, agent: id } }))
  const back = () => (home === 'me' ? navigate({ to: '/me' }) : navigate({ to: '/a/$account/$plane/agents', params: plane }))
  const edit = useEdit(agent)
  const choices = useChoices(agent)
  const reads = Boolean(agent.draft)
  const head = (
    <div className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-3">
      <div className="flex min-w-0 grow items-center gap-3">
        <Link to={home === 'me' ? '/me' : '/a/$account/$plane/agents'} params={home === 'me' ? {} : plane} aria-label={t('Back')} className="rounded-md p-1.5 text-muted hover:bg-hover">
          <ArrowLeft aria-hidden className="size-4" />
        </Link>
        <AgentIcon icon={agent.icon} className="size-10" />
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-2">
            <h1 className="text-xl font-semibold tracking-tight break-words">{agent.name}</h1>
            <StateBadge agent={agent} />
            {agent.publishedVersion && <Badge tone="plain">{t('Version {{n}} live', { n: agent.publishedVersion })}</Badge>}
            {agent.publishedVersion && agent.draftChanged && <Badge tone="info">{t('Draft differs')}</Badge>}
          </div>
          <p className="text-sm text-muted">
            {agent.location || t('All of Copilot')} · {agent.ownerUserName ? t('{{name}} answers for it', { name: agent.ownerUserName }) : <span className="text-warn">{t('Nobody answers for it')}</span>}
          </p>
        </div>
      </div>
      <div className="flex items-center gap-2 max-sm:w-full">
        {edit.may && (
          <Button size="sm" busy={edit.busy} disabled={!edit.dirty} onClick={() => void edit.save()} className="max-sm:grow">
            <Save aria-hidden /> {edit.dirty ? t('Save draft') : t('Saved')}
          </Button>
        )}
        {may(agent, 'agent.publish') && (
          <Button
            size="sm"
            variant="primary"
            className="max-sm:grow"
            disabled={!edit.dirty && !agent.draftChanged}
            onClick={() => void edit.save().then((saved) => saved && setPublishing(true))}
          >
            <Rocket aria-hidden /> {t('Publish')}
          </Button>
        )}
        <Acts agent={agent} onOpen={(id) => void open(id)} onGone={() => void back()} />
      </div>
    </div>
  )
  if (!reads || !edit.draft) {
    return (
      <>
        {head}
        <Card>
          <Empty icon={<Bot aria-hidden />} title={t('How it is made is for those who build it')}>
            {t('Its instructions are open to admins of the scope that owns it, and to whoever answers for it.')}
          </Empty>
        </Card>
      </>
    )
  }
  // What a press can put right, it does, and saves.
  const draft = edit.draft
  const fix = (code: string) => code === 'no-guardrail' && edit.may && <ChooseGuardrail agent={agent} onChoose={(id) => void edit.save({ guardrailPresetIds: [...draft.guardrailPresetIds, id] })} />
  const fields = { draft: edit.draft, set: edit.set, disabled: !edit.may, errors: edit.errors }
  return (
    <>
      {head}
      {(edit.fault || edit.errors['']) && (
        <div className="mb-4">
          <ErrorBar fault={edit.fault ?? { code: 'INVALID', message: edit.errors['']! }} />
        </div>
      )}
      <Tabs
        label={t('Parts of the agent')}
        value={url.tab ?? 'build'}
        onChange={(tab) => setUrl({ tab: tab === 'build' ? undefined : tab })}
        tabs={[
          {
            value: 'build',
            label: t('Build'),
            content: (
              <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)]">
                <div className="flex min-w-0 flex-col gap-4">
                  <Building {...fields} choices={choices}>
                    <Guardrails agent={agent} draft={edit.draft} set={edit.set} disabled={!edit.may} error={edit.errors.guardrailPresetIds} />
                  </Building>
                </div>
                <div className="flex min-w-0 flex-col gap-4 lg:sticky lg:top-4">
                  {edit.may && <TryPane agentId={agent.id} name={agent.name} starters={edit.draft.starters} save={() => edit.save()} ready={Boolean(edit.draft.modelId)} />}
                  <Problems problems={agent.validation ?? []} stale={edit.dirty} fix={fix} />
                </div>
              </div>
            ),
          },
          { value: 'versions', label: t('Versions'), content: <Versions agent={agent} /> },
          {
            value: 'settings',
            label: t('Settings'),
            content: (
              <div className="flex max-w-3xl flex-col gap-4">
                <Settings {...fields} />
                <AgentBudget agent={agent} />
                <p className="flex items-center gap-2 text-xs text-muted">
                  {t('Programs name it in X-Cockpit-Agent:')} <Id id={agent.id} />
                </p>
              </div>
            ),
          },
        ]}
      />
      {publishing && <Publish agent={agent} fix={fix} onClose={() => setPublishing(false)} />}
    </>
  )
}

/** The draft as it is edited, and its way back to the server. */
function useEdit(agent: AgentPartsFragment) {
  const { run, busy, fault } = useMutate(AgentUpdateDocument)
  const saved = useMemo(() => (agent.draft ? draftOf(agent, agent.draft) : undefined), [agent])
  const [edited, setDraft] = useState<Draft | undefined>(saved)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const before = useRef(saved)
  // What others change shows, unless one has begun to type.
  useEffect(() => {
    setDraft((now) => (now && before.current && !same(now, before.current) ? now : saved))
    before.current = saved
  }, [saved])
  const dirty = Boolean(edited && saved && !same(edited, saved))
  const set = useCallback((patch: Partial<Draft>) => setDraft((now) => now && { ...now, ...patch }), [])
  const save = async (patch?: Partial<Draft>): Promise<boolean> => {
    if (!edited || !(dirty || patch)) return true
    const draft = { ...edited, ...patch }
    if (patch) setDraft(draft)
    if (Object.keys(mistakes(draft)).length > 0) {
      toast(t('Correct what is marked first.'))
      return false
    }
    setErrors({})
    const payload = await run({
      input: {
        agentId: agent.id,
        name: draft.name.trim(),
        purpose: draft.purpose,
        icon: draft.icon,
        group: draft.group,
        sessionCredits: draft.sessionCredits ? (parseAmount(draft.sessionCredits) ?? undefined) : '0',
        sessionTurns: Number(draft.sessionTurns || '0'),
        draft: inputOf(draft),
        expectedVersion: agent.version,
      },
    })
    if (!payload) return false
    if (payload.errors.length > 0) {
      // Fields of the definition come with its name before theirs.
      setErrors(byField(payload.errors.map((e) => ({ ...e, path: e.path.filter((p) => p !== 'definition' && p !== 'parameters') }))))
      return false
    }
    if (payload.agent?.draft) {
      const fresh = draftOf(payload.agent, payload.agent.draft)
      before.current = fresh
      setDraft(fresh)
    }
    return true
  }
  return { draft: edited, set, save, dirty, busy, fault, errors, may: may(agent, 'agent.update') }
}

/** What it can be made of: what its owner may use, and what it names already. */
function useChoices(agent: AgentPartsFragment): Choices {
  const { data } = useRead(AgentChoicesDocument, { scope: agent.owner?.id ?? '' }, !agent.owner)
  return useMemo(() => {
    const d = agent.draft
    const named = d ? [...(d.modelId ? [{ id: d.modelId, name: d.modelName }] : []), ...d.fallbacks] : []
    const merge = (edges: readonly { node: { resource: { id: string; name: string } } }[] | undefined, own: readonly { id: string; name?: string | null }[]) => {
      const found = new Map((edges ?? []).map(({ node }) => [node.resource.id, node.resource.name]))
      for (const o of own) if (!found.has(o.id)) found.set(o.id, o.name ?? t('Gone'))
      return [...found].map(([value, label]) => ({ value, label })).toSorted((a, b) => a.label.localeCompare(b.label))
    }
    return { models: merge(data?.access?.models.edges, named), tools: merge(data?.access?.tools.edges, d?.tools ?? []) }
  }, [agent, data])
}
