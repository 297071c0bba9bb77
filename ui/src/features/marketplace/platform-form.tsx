import { useState } from 'react'
import { byField } from '@/graphql/fault'
import { type ListingKind, type ListingPartsFragment, ListingSubmitDocument, OfferedModelsDocument, PlatformListingCreateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { RadioCards } from '@/kit/radio'
import { Select } from '@/kit/select'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { emptyText, inputOf, type Text, TextFields } from './form'
import { type Draft, draftOf, emptyDraft, payloadOf } from './payload'

type Kind = Exclude<ListingKind, 'MODEL'>

/** A listing of the platform: what installing it brings, and what it says of itself. */
export function NewPlatformListing({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const { run, busy, fault } = useMutate(PlatformListingCreateDocument, { once: true })
  const [kind, setKind] = useState<Kind>('TEMPLATE')
  const [text, setText] = useState<Text>(emptyText)
  const brings = usePayload(kind)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const create = async () => {
    const missing: Record<string, string> = {}
    if (!text.name.trim()) missing.name = t('Give it a name that people will recognise.')
    const payload = brings.payload()
    if (payload === undefined) missing.payload = t('This is no JSON.')
    setErrors(missing)
    if (Object.keys(missing).length > 0) return
    const result = await run({ input: { kind, payload: payload!, ...inputOf(text) } })
    if (result?.listing) {
      toast(t('{{name}} is a draft; review it to publish it', { name: result.listing.name }))
      return onMade(result.listing.id)
    }
    if (result) setErrors(byField(result.errors))
  }
  return (
    <Dialog open onClose={onClose} title={t('New listing')} description={t('It begins as a draft. Submit, review and offer it next.')} className="max-w-2xl">
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void create()
        }}
      >
        <RadioCards
          label={t('What it is')}
          value={kind}
          onChange={setKind}
          options={[
            { value: 'TEMPLATE', label: t('Template'), note: t('The beginning of an agent, which each account finishes.') },
            { value: 'AGENT', label: t('Agent'), note: t('A finished agent, which each account publishes as it is.') },
            { value: 'CONNECTION', label: t('Connection'), note: t('A source of tools: an MCP server, or an API with an OpenAPI document.') },
          ]}
        />
        <TextFields value={text} onChange={setText} errors={errors} />
        <PayloadFields kind={kind} form={brings} error={payloadError(errors)} />
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Save as draft')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

const fields = new Set(['name', 'summary', 'description', 'icon', 'categories', 'tags', 'capabilities', 'requirements', 'screenshots', 'changelog', ''])

const payloadError = (errors: Record<string, string>) => Object.entries(errors).find(([field]) => !fields.has(field))?.[1]

/** The next version of a listing of the platform, from the one before it. */
export function NextVersion({ listing: l, onClose }: { listing: ListingPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ListingSubmitDocument)
  const newest = l.versions[0]
  const waits = newest?.status === 'IN_REVIEW'
  const brings = usePayload(l.kind as Kind, newest?.payload)
  const [changelog, setChangelog] = useState(waits ? newest.changelog : '')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const submit = async () => {
    const payload = brings.payload()
    if (payload === undefined) return setErrors({ payload: t('This is no JSON.') })
    const same = waits && newest.changelog === changelog && JSON.stringify(JSON.parse(newest.payload)) === JSON.stringify(JSON.parse(payload))
    const result = await run({ input: { listingId: l.id, payload: same ? undefined : payload, changelog: changelog.trim() || undefined } })
    if (!result) return
    if (result.errors.length > 0) return setErrors(byField(result.errors))
    toast(t('{{name}} waits for review', { name: l.name }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={waits ? t('Submit {{name}}', { name: l.name }) : t('New version of {{name}}', { name: l.name })} description={t('What is published stays so until a review has published this.')} className="max-w-2xl">
      <div className="flex flex-col gap-4">
        <PayloadFields kind={l.kind as Kind} form={brings} error={payloadError(errors)} />
        {!(waits && newest.number === 1) && (
          <Field label={t('What is new')} error={errors.changelog}>
            {(wiring) => <Textarea {...wiring} value={changelog} onChange={(e) => setChangelog(e.target.value)} maxLength={2000} className="min-h-16" />}
          </Field>
        )}
        {(fault || errors['']) && <ErrorBar fault={fault ?? { code: 'INVALID', message: errors['']! }} />}
      </div>
      <DialogActions>
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button variant="primary" busy={busy} onClick={() => void submit()}>
          {t('Submit for review')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}

type Form = { draft: Draft; set: (patch: Partial<Draft>) => void; json: string | undefined; setJSON: (json: string | undefined) => void; payload: () => string | undefined }

/** What a version brings, as a form or as its JSON; undefined for what is no JSON. */
function usePayload(kind: Kind, before?: string): Form {
  const [begun] = useState(() => (before ? draftOf(before) : { draft: emptyDraft, rest: {} }))
  const [rest, setRest] = useState(begun.rest)
  const [draft, setDraft] = useState(begun.draft)
  const [json, setJSON] = useState<string>()
  const written = (): string | undefined => {
    try {
      return json === undefined ? payloadOf(kind, draft, rest) : JSON.stringify(JSON.parse(json))
    } catch {
      return undefined
    }
  }
  return {
    draft,
    set: (patch) => setDraft({ ...draft, ...patch }),
    json,
    setJSON: (next) => {
      if (next === undefined) {
        const now = written()
        if (now === undefined) return
        const read = draftOf(now)
        setRest(read.rest)
        setDraft(read.draft)
      }
      setJSON(next)
    },
    payload: written,
  }
}

function PayloadFields({ kind, form, error }: { kind: Kind; form: Form; error?: string }) {
  const { draft: d, set, json, setJSON } = form
  const pretty = () => {
    const now = form.payload()
    return now === undefined ? '{}' : JSON.stringify(JSON.parse(now), null, 2)
  }
  return (
    <fieldset className="flex flex-col gap-4 rounded-lg border border-line p-4">
      <legend className="px-1 text-sm font-semibold">{t('What installing it brings')}</legend>
      <Segments
        label={t('As')}
        value={json === undefined ? 'form' : 'json'}
        onChange={(as) => setJSON(as === 'json' ? pretty() : undefined)}
        options={[
          { value: 'form', label: t('Form') },
          { value: 'json', label: 'JSON' },
        ]}
        className="self-start"
      />
      {json !== undefined ? (
        <Field label={t('Payload')} error={error}>
          {(wiring) => <Textarea {...wiring} value={json} onChange={(e) => setJSON(e.target.value)} spellCheck={false} className="min-h-56 font-mono text-xs" />}
        </Field>
      ) : kind === 'CONNECTION' ? (
        <ConnectionFields d={d} set={set} />
      ) : (
        <AgentFields d={d} set={set} />
      )}
      {json === undefined && error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  )
}

type Fields = { d: Draft; set: (patch: Partial<Draft>) => void }

function AgentFields({ d, set }: Fields) {
  const { data } = useRead(OfferedModelsDocument, {})
  const models = (data?.platform?.catalogModels.edges ?? []).map((e) => e.node.name)
  const all = d.model && !models.includes(d.model) ? [d.model, ...models] : models
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t('Purpose')} hint={t('In a sentence.')}>
          {(wiring) => <Input {...wiring} value={d.purpose} onChange={(e) => set({ purpose: e.target.value })} maxLength={500} />}
        </Field>
        <Field label={t('Made for the model')} hint={t("Becomes each account's own, where it is on.")}>
          {(wiring) => <Select {...wiring} value={d.model} onChange={(model) => set({ model })} options={[{ value: '', label: t('Any') }, ...all.map((m) => ({ value: m, label: m }))]} />}
        </Field>
      </div>
      <Field label={t('Instructions')}>{(wiring) => <Textarea {...wiring} value={d.instructions} onChange={(e) => set({ instructions: e.target.value })} className="min-h-36 font-mono text-xs" />}</Field>
      <Field label={t('Conversation starters')} hint={t('One on each line.')}>
        {(wiring) => <Textarea {...wiring} value={d.starters} onChange={(e) => set({ starters: e.target.value })} className="min-h-16" />}
      </Field>
    </>
  )
}

const auths: { value: Draft['auth']; label: string }[] = [
  { value: 'NONE', label: t('Nothing') },
  { value: 'BEARER', label: t('A bearer token') },
  { value: 'HEADER', label: t('A key in a header') },
  { value: 'BASIC', label: t('User and password') },
  { value: 'OAUTH', label: 'OAuth' },
]

function ConnectionFields({ d, set }: Fields) {
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t('Kind')}>
          {(wiring) => (
            <Select
              {...wiring}
              value={d.kind}
              onChange={(kind) => set({ kind })}
              options={[
                { value: 'MCP_HTTP', label: t('MCP server') },
                { value: 'MCP_SSE', label: t('MCP server, older (SSE)') },
                { value: 'OPENAPI', label: t('API with an OpenAPI document') },
              ]}
            />
          )}
        </Field>
        <Field label={t('Address')} hint={d.kind === 'OPENAPI' ? t("Empty: the document's first server.") : undefined}>
          {(wiring) => <Input {...wiring} value={d.url} onChange={(e) => set({ url: e.target.value })} inputMode="url" placeholder="https://mcp.example.com/mcp" />}
        </Field>
        {d.kind === 'OPENAPI' && (
          <Field label={t('Document')} hint={t('Read once, when you save.')} className="sm:col-span-2">
            {(wiring) => <Input {...wiring} value={d.documentUrl} onChange={(e) => set({ documentUrl: e.target.value })} inputMode="url" placeholder="https://api.example.com/openapi.json" />}
          </Field>
        )}
        <Field label={t('Signs in with')}>{(wiring) => <Select {...wiring} value={d.auth} onChange={(auth) => set({ auth })} options={auths} />}</Field>
        {d.auth !== 'NONE' && (
          <Field label={t('Whose credential')}>
            {(wiring) => (
              <Select
                {...wiring}
                value={d.credential}
                onChange={(credential) => set({ credential })}
                options={[
                  { value: 'PERSONAL', label: t("Each person's own") },
                  { value: 'SHARED', label: t('One for all') },
                ]}
              />
            )}
          </Field>
        )}
        {d.auth === 'HEADER' && <Field label={t('Header')}>{(wiring) => <Input {...wiring} value={d.authName} onChange={(e) => set({ authName: e.target.value })} placeholder="X-Api-Key" />}</Field>}
      </div>
      {d.auth === 'OAUTH' && (
        <Field label={t('OAuth settings')} hint={t('JSON with addresses, client id and scopes, and no secret.')}>
          {(wiring) => <Textarea {...wiring} value={d.oauth} onChange={(e) => set({ oauth: e.target.value })} spellCheck={false} className="font-mono text-xs" />}
        </Field>
      )}
    </>
  )
}
