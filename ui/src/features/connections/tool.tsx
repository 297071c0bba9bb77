import { type FormEvent, useState } from 'react'
import { ToolApproveDocument, ToolDocument, type ToolPartsFragment, ToolRejectDocument, ToolUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { Sheet } from '@/kit/dialog'
import { Diff } from '@/kit/diff'
import { Field, Input } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { Tabs } from '@/kit/tabs'
import { toast } from '@/kit/toast'
import { Switch } from '@/kit/toggle'
import { dateTime, exact, parseAmount } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ResourceGrants } from '@/features/access'
import { differences, hintsOf, parametersOf, parse, wholeOf } from './definition'
import { ToolBadge } from './words'

type Part = 'about' | 'access'

/** One tool: what it says of itself, what changed, what it costs, and who may use it. */
export function ToolPanel({ id, onClose, onNext }: { id: string; onClose: () => void; /** Goes on to what waits next; the panel closes where nothing does. */ onNext?: () => void }) {
  const { data, loading, fault, retry } = useRead(ToolDocument, { id })
  const [part, setPart] = useState<Part>('about')
  const tool = data?.node?.id === id && 'callName' in data.node ? data.node : undefined
  return (
    <Sheet open onClose={onClose} className="max-w-xl" title={tool?.title ?? t('Tool')} description={tool && <code className="font-mono text-xs">{tool.callName}</code>}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {(loading || (data?.node && data.node.id !== id)) && <SkeletonRows rows={6} />}
      {data && !data.node && !fault && <Empty title={t('There is no such tool')}>{t('It went with its connection, or lies outside of your reach.')}</Empty>}
      {tool && (
        <Tabs<Part>
          label={t('Parts of {{name}}', { name: tool.title })}
          value={part}
          onChange={setPart}
          tabs={[
            { value: 'about', label: t('About'), content: <About key={tool.id} tool={tool} onReload={retry} onDecided={onNext ?? onClose} /> },
            {
              value: 'access',
              label: t('Access'),
              content: (
                <div className="rounded-lg border border-line">
                  <ResourceGrants plane="COPILOT" resource={{ id: tool.id, name: tool.callName }} note={t('Of this tool alone. What is granted of its whole connection counts, too.')} />
                </div>
              ),
            },
          ]}
        />
      )}
    </Sheet>
  )
}

function About({ tool, onReload, onDecided }: { tool: ToolPartsFragment; onReload: () => void; onDecided: () => void }) {
  const { readOnly, destructive } = hintsOf(tool.proposed ?? tool.definition)
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center gap-1.5">
        <ToolBadge tool={tool} />
        {readOnly && <Badge>{t('Says it changes nothing')}</Badge>}
        {destructive && <Badge tone="bad">{t('Says it may destroy')}</Badge>}
        <CopyButton compact text={tool.callName} label={t('Copy its name')} />
      </div>
      <Decide tool={tool} onReload={onReload} onDecided={onDecided} />
      {tool.state !== 'CHANGED' && <Shape definition={tool.definition} />}
      <Running tool={tool} />
      <details className="rounded-lg border border-line">
        <summary className="cursor-pointer px-3.5 py-2.5 text-sm font-medium">{t('Its definition, to the letter')}</summary>
        {tool.proposed ? (
          <Diff before={wholeOf(tool.definition)} after={wholeOf(tool.proposed)} label={t('Both definitions')} className="border-t border-line" />
        ) : (
          <pre className="max-h-96 overflow-auto border-t border-line px-3.5 py-2.5 font-mono text-xs whitespace-pre-wrap" tabIndex={0} aria-label={t('Definition')}>
            {wholeOf(tool.definition)}
          </pre>
        )}
      </details>
      {tool.approvedAt && <p className="text-xs text-muted">{t('Approved last {{when}}.', { when: dateTime(tool.approvedAt) })}</p>}
    </div>
  )
}

/** What waits for somebody's yes: a new tool as it is, a changed one by what changed. */
function Decide({ tool, onReload, onDecided }: { tool: ToolPartsFragment; onReload: () => void; onDecided: () => void }) {
  const approve = useMutate(ToolApproveDocument)
  const reject = useMutate(ToolRejectDocument)
  const [conflict, setConflict] = useState<string>()
  const [error, setError] = useState<string>()
  const waits = tool.state === 'PENDING' || tool.state === 'CHANGED'
  const decides = may(tool, 'tool.approve')
  const yes = async () => {
    setConflict(undefined)
    setError(undefined)
    // The digest is of what stands on the page: another, and the server refuses.
    const payload = await approve.run({ input: { tools: [{ toolId: tool.id, digest: tool.digest }] } })
    if (!payload) return
    const wrong = payload.errors[0]
    if (wrong) return wrong.code === 'CONFLICT' ? setConflict(wrong.message) : setError(wrong.message)
    toast(t('{{name}} can be called', { name: tool.title }))
    onDecided()
  }
  const no = async () => {
    setError(undefined)
    const payload = await reject.run({ input: { toolId: tool.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} stays out of use', { name: tool.title }))
    onDecided()
  }
  if (tool.state === 'MISSING') return <Notice title={t('Its server offers it no more')}>{t('Calls are refused. When it is offered again as it was approved, it can be called at once.')}</Notice>
  if (!waits) return null
  return (
    <section className="flex flex-col gap-3" aria-label={t('Approval')}>
      {tool.state === 'CHANGED' ? (
        <>
          <Notice tone="warn" title={t('Held back: it isn’t what was approved any more')}>
            {t('Nobody can call it until you approve what its server offers now. Look at what changed: models follow these words.')}
          </Notice>
          <Differences approved={tool.definition} proposed={tool.proposed ?? ''} />
        </>
      ) : (
        tool.enabled && <Notice title={t('New: nobody can call it yet')}>{t('Models will read the words below. Approve it if you would let them do that.')}</Notice>
      )}
      {conflict && (
        <Notice tone="warn" alert title={t('It changed while you looked')}>
          <p>{conflict}</p>
          <Button
            size="sm"
            className="mt-2"
            onClick={() => {
              setConflict(undefined)
              onReload()
            }}
          >
            {t('Show the newest')}
          </Button>
        </Notice>
      )}
      {error && <ErrorBar fault={{ code: 'REFUSED', message: error }} />}
      {(approve.fault ?? reject.fault) && <ErrorBar fault={(approve.fault ?? reject.fault)!} />}
      {decides && (
        <div className="flex flex-wrap gap-2">
          <Button variant="primary" busy={approve.busy} onClick={() => void yes()}>
            {tool.state === 'CHANGED' ? t('Approve the change') : t('Approve')}
          </Button>
          {tool.enabled && (
            <Button busy={reject.busy} onClick={() => void no()}>
              {t('Reject')}
            </Button>
          )}
        </div>
      )}
    </section>
  )
}

function Differences({ approved, proposed }: { approved: string; proposed: string }) {
  const found = differences(approved, proposed)
  return (
    <ul className="flex flex-col gap-3">
      {found.map((d) => (
        <li key={d.part} className="overflow-hidden rounded-md border border-line">
          <h3 className="border-b border-line bg-bg px-3 py-1.5 text-xs font-semibold break-words">
            {d.part} {!d.before && <span className="font-normal text-muted">{t('is new')}</span>}
            {!d.after && <span className="font-normal text-muted">{t('is gone')}</span>}
          </h3>
          <Diff before={d.before} after={d.after} label={t('Changes of {{field}}', { field: d.part })} />
        </li>
      ))}
    </ul>
  )
}

/** What a tool says of itself, as people read it. */
function Shape({ definition }: { definition: string }) {
  const d = parse(definition)
  const parameters = parametersOf(d.inputSchema)
  return (
    <>
      <p className="whitespace-pre-wrap break-words">{typeof d.description === 'string' && d.description ? d.description : <span className="text-muted">{t('It says nothing of itself.')}</span>}</p>
      {typeof d.request === 'string' && d.request && <code className="rounded-md border border-line bg-bg px-3 py-2 font-mono text-xs break-all">{d.request}</code>}
      <section>
        <h3 className="mb-2 text-sm font-semibold">{t('What it takes')}</h3>
        {parameters.length === 0 ? (
          <p className="text-muted">{t('Nothing.')}</p>
        ) : (
          <ul className="rounded-lg border border-line">
            {parameters.map((p) => (
              <li key={p.name} className={cx('border-b border-line px-3.5 py-2.5 last:border-b-0', p.name.includes(' › ') && 'ps-7')}>
                <p className="flex flex-wrap items-center gap-2">
                  <code className="font-mono text-sm font-semibold break-all">{p.name}</code>
                  <span className="text-xs text-muted">{p.type}</span>
                  {p.required && <Badge tone="accent">{t('needed')}</Badge>}
                </p>
                {p.description && <p className="break-words">{p.description}</p>}
                {p.rest.map((line) => (
                  <p key={line} className="text-xs break-words text-muted">
                    {line}
                  </p>
                ))}
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  )
}

/** Whether it may be called, and what a call costs. */
function Running({ tool }: { tool: ToolPartsFragment }) {
  const { run, busy, fault } = useMutate(ToolUpdateDocument)
  const free = Number(tool.price) === 0
  const [price, setPrice] = useState(free ? '' : tool.price)
  const [error, setError] = useState<string>()
  const changes = may(tool, 'tool.update')
  const save = async (input: { enabled?: boolean; price?: string }, done: string) => {
    setError(undefined)
    const payload = await run({ input: { toolId: tool.id, expectedVersion: tool.version, ...input } })
    if (payload?.errors[0]) setError(payload.errors[0].message)
    else if (payload) toast(done)
  }
  const charge = (event: FormEvent) => {
    event.preventDefault()
    const amount = price.trim() ? parseAmount(price) : '0'
    if (amount === null) return setError(t('Enter an amount in US dollars, such as 0.002.'))
    void save({ price: amount }, Number(amount) === 0 ? t('A call of {{name}} is free', { name: tool.title }) : t('A call of {{name}} costs {{price}}', { name: tool.title, price: exact(amount, 'USD') }))
  }
  return (
    <section className="flex flex-col gap-4 rounded-lg border border-line p-4">
      <div className="flex items-start justify-between gap-4">
        <div>
          <p className="text-sm font-medium">{t('Switched on')}</p>
          <p className="text-xs text-muted">{t('Off, calls are refused for everybody.')}</p>
        </div>
        <Switch checked={tool.enabled} disabled={!changes || busy} onChange={(enabled) => void save({ enabled }, enabled ? t('{{name}} is switched on', { name: tool.title }) : t('{{name}} is switched off', { name: tool.title }))} label={t('Switched on')} />
      </div>
      {changes ? (
        <form noValidate onSubmit={charge} className="flex items-start gap-2">
          <Field label={t('Price of a call, in US dollars')} error={error} hint={t('Charged to every budget on the caller’s path; callers without one are refused. Empty: free.')} className="min-w-0 grow">
            {(wiring) => <Input {...wiring} inputMode="decimal" value={price} onChange={(e) => setPrice(e.target.value)} placeholder={t('Free')} className="num" />}
          </Field>
          <Button type="submit" busy={busy} className="mt-6.5" disabled={(price.trim() || '0') === (free ? '0' : tool.price)}>
            {t('Set')}
          </Button>
        </form>
      ) : (
        <p>
          <span className="text-muted">{t('Price of a call')}</span> {free ? t('Free') : exact(tool.price, 'USD')}
        </p>
      )}
      {fault && <ErrorBar fault={fault} />}
    </section>
  )
}
