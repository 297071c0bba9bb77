import { type FormEvent, useState } from 'react'
import { byField, type Fault } from '@/graphql/fault'
import { GrantableDocument, type ProgramPartsFragment, ServiceClientCreateDocument, ServiceClientUpdateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { RadioCards } from '@/kit/radio'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { Steps } from '@/kit/steps'
import { toast } from '@/kit/toast'
import { Checkbox } from '@/kit/toggle'
import { t } from '@/lib/i18n'
import { nameOf, type Plane } from '@/lib/plane'
import { type Draft, draftOf, emptyDraft, problems, stepOf, steps, toInput } from './draft'
import { choices, powerful } from './permissions'
import { Secret } from './secret'

type Props = { program?: ProgramPartsFragment; platform: boolean; planes: readonly Plane[]; onClose: () => void }

const stepNames = [t('What it is'), t('How it acts'), t('What it may')]

/** Makes a program known in three steps, or changes one; then its secret, once. */
export function ProgramForm({ program, platform, planes, onClose }: Props) {
  const [made, setMade] = useState<{ program: ProgramPartsFragment; secret: string }>()
  if (made) return <Secret program={made.program} secret={made.secret} onDone={onClose} />
  return <Wizard program={program} platform={platform} planes={planes} onClose={onClose} onMade={(p, secret) => (secret ? setMade({ program: p, secret }) : onClose())} />
}

function Wizard({ program, platform, planes, onClose, onMade }: Props & { onMade: (program: ProgramPartsFragment, secret?: string | null) => void }) {
  const create = useMutate(ServiceClientCreateDocument)
  const update = useMutate(ServiceClientUpdateDocument)
  const [at, setAt] = useState(0)
  const [draft, setDraft] = useState<Draft>(() => (program ? draftOf(program) : { ...emptyDraft, planes: [...planes] }))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [refusal, setRefusal] = useState<Fault>()
  const set = (patch: Partial<Draft>) => setDraft((d) => ({ ...d, ...patch }))
  const step = steps[at]!
  const last = at === steps.length - 1

  const save = async () => {
    const input = toInput(draft)
    const payload = program
      ? await update.run({ input: { serviceClientId: program.id, ...input, expectedVersion: program.version } })
      : await create.run({ input: { ...input, public: draft.public } })
    if (!payload) return
    if (payload.serviceClient) {
      toast(program ? t('{{name}} is saved', { name: input.name }) : t('{{name}} is known now', { name: input.name }))
      return onMade(payload.serviceClient, 'secret' in payload ? (payload.secret as string | null) : undefined)
    }
    const found = byField(payload.errors)
    setErrors(found)
    const wrong = stepOf(Object.keys(found))
    if (wrong) setAt(steps.indexOf(wrong))
    else setRefusal({ code: 'INVALID', message: Object.values(found)[0] ?? '' })
  }
  const next = async (event: FormEvent) => {
    event.preventDefault()
    setRefusal(undefined)
    const found = problems(draft, step)
    setErrors(found)
    if (Object.keys(found).length > 0) return
    if (last) await save()
    else setAt(at + 1)
  }
  const fault = create.fault ?? update.fault ?? refusal
  return (
    <Dialog open onClose={onClose} title={program ? t('Change {{name}}', { name: program.name }) : t('New program')} description={platform ? t('A program of the platform may act for people of every account.') : t('A program that uses Cockpit by its API, for itself or for people.')} className="max-w-xl">
      <Steps steps={stepNames} at={at} />
      <form noValidate onSubmit={next} className="flex flex-col gap-4">
        {step === 'what' && <What draft={draft} set={set} errors={errors} known={Boolean(program)} />}
        {step === 'how' && <How draft={draft} set={set} errors={errors} />}
        {step === 'may' && <May draft={draft} set={set} errors={errors} platform={platform} planes={planes} program={program} />}
        {fault && <ErrorBar fault={fault} />}
        <DialogActions>
          <Button onClick={at === 0 ? onClose : () => setAt(at - 1)}>{at === 0 ? t('Cancel') : t('Back')}</Button>
          <Button type="submit" variant="primary" busy={create.busy || update.busy}>
            {!last ? t('Next') : program ? t('Save program') : t('Create program')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

type StepProps = { draft: Draft; set: (patch: Partial<Draft>) => void; errors: Record<string, string> }

function What({ draft, set, errors, known }: StepProps & { known: boolean }) {
  return (
    <>
      <Field label={t('Name')} required error={errors.name} hint={t('People see it when the program asks them.')}>
        {(wiring) => <Input {...wiring} autoFocus value={draft.name} maxLength={120} onChange={(e) => set({ name: e.target.value })} autoComplete="off" placeholder={t('Claims assistant')} />}
      </Field>
      <Field label={t('What it is for')} error={errors.description}>
        {(wiring) => <Textarea {...wiring} value={draft.description} maxLength={500} onChange={(e) => set({ description: e.target.value })} />}
      </Field>
      {known ? (
        <p className="text-muted">{draft.public ? t('It runs in browsers or on phones, so it has no secret. That can\'t be changed: make another program instead.') : t('It runs on a server and keeps a secret. That can\'t be changed: make another program instead.')}</p>
      ) : (
        <RadioCards
          label={t('Where it runs')}
          value={draft.public ? 'public' : 'server'}
          onChange={(v) => set(v === 'public' ? { public: true, consent: true, clientCredentials: false, tokenExchange: false, trustedSubjects: false } : { public: false })}
          options={[
            { value: 'server', label: t('On a server'), note: t('It can keep a secret, and shows it whenever it asks for a token.') },
            { value: 'public', label: t('In browsers or on phones'), note: t('No secret could be kept there: it acts for people who consent, with PKCE, and in no other way.') },
          ]}
        />
      )}
      {errors.public && (
        <p role="alert" className="text-xs text-bad">
          {errors.public}
        </p>
      )}
    </>
  )
}

function How({ draft, set, errors }: StepProps) {
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1.5 text-sm font-medium">{t('For whom it acts')}</legend>
      <div className="rounded-md border border-line px-3 py-2.5">
        <Checkbox checked={draft.consent} onChange={(consent) => !draft.public && set({ consent })}>
          <span className="font-medium">{t('For people who consent')}</span>
          <span className="block text-xs text-muted">{t('They sign in here, see what it asks for, and are sent back to it. OAuth authorization code with PKCE.')}</span>
        </Checkbox>
        {draft.consent && (
          <Field label={t('Addresses to send people back to')} required error={errors.redirectUris} hint={t('One a line, compared letter by letter.')} className="mt-3 ps-6.5">
            {(wiring) => <Textarea {...wiring} value={draft.redirectUris} onChange={(e) => set({ redirectUris: e.target.value })} spellCheck={false} autoComplete="off" placeholder="https://app.example.com/callback" className="min-h-16 font-mono" />}
          </Field>
        )}
      </div>
      {!draft.public && (
        <>
          <div className="rounded-md border border-line px-3 py-2.5">
            <Checkbox checked={draft.clientCredentials} onChange={(clientCredentials) => set({ clientCredentials })}>
              <span className="font-medium">{t('For itself')}</span>
              <span className="block text-xs text-muted">{t('With its id and secret and nobody behind it: jobs at night, reports. Client credentials.')}</span>
            </Checkbox>
          </div>
          <div className="rounded-md border border-line px-3 py-2.5">
            <Checkbox checked={draft.tokenExchange} onChange={(tokenExchange) => set({ tokenExchange, trustedSubjects: tokenExchange && draft.trustedSubjects })}>
              <span className="font-medium">{t('For people whose ID token it shows')}</span>
              <span className="block text-xs text-muted">{t('Its users have signed in there already, through an identity provider that the account knows. Token exchange.')}</span>
            </Checkbox>
            {draft.tokenExchange && (
              <div className="mt-3 ps-6.5">
                <Checkbox checked={draft.trustedSubjects} onChange={(trustedSubjects) => set({ trustedSubjects })}>
                  <span className="font-medium">{t('And for people whom it merely names')}</span>
                  <span className="block text-xs text-muted">{t('Nobody proves that they are there.')}</span>
                </Checkbox>
                {draft.trustedSubjects && <Notice tone="warn" className="mt-2">{t('Whoever gets hold of its secret can act as anybody, within its permissions. Only for programs that you run yourself.')}</Notice>}
              </div>
            )}
          </div>
        </>
      )}
      {['flows', 'clientCredentials', 'tokenExchange', 'trustedSubjects'].map(
        (f) =>
          errors[f] && (
            <p key={f} role="alert" className="text-xs text-bad">
              {errors[f]}
            </p>
          ),
      )}
    </fieldset>
  )
}

function May({ draft, set, errors, platform, planes, program }: StepProps & { platform: boolean; planes: readonly Plane[]; program?: ProgramPartsFragment }) {
  const { data, loading, fault, retry } = useRead(GrantableDocument, {})
  const list = choices(data?.viewer.grantable ?? [], platform, program?.permissions)
  const offered = [...new Set([...planes, ...draft.planes])]
  const toggle = (name: string, on: boolean) => set({ permissions: on ? [...draft.permissions, name] : draft.permissions.filter((n) => n !== name) })
  return (
    <>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">{t('Planes it acts in')}</legend>
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          {offered.map((p) => (
            <Checkbox key={p} checked={draft.planes.includes(p)} onChange={(on) => set({ planes: on ? [...draft.planes, p] : draft.planes.filter((o) => o !== p) })}>
              {nameOf(p)}
            </Checkbox>
          ))}
        </div>
        {errors.planes && (
          <p role="alert" className="mt-1.5 text-xs text-bad">
            {errors.planes}
          </p>
        )}
      </fieldset>
      <fieldset>
        <legend className="text-sm font-medium">{t('What it may do at most')}</legend>
        <p className="mb-1.5 text-xs text-muted">{t('For people it does this only as far as they may themselves.')}</p>
        {fault && <ErrorBar fault={fault} retry={retry} />}
        {loading ? (
          <SkeletonRows rows={6} />
        ) : (
          <ul className="rounded-md border border-line">
            {list.map((p) => (
              <li key={p.name} className="border-b border-line px-3 py-2 last:border-b-0">
                <Checkbox checked={draft.permissions.includes(p.name)} onChange={(on) => toggle(p.name, on)}>
                  {p.about} <code className="font-mono text-xs text-muted">{p.name}</code>
                  {powerful(p.name) && <span className="ms-2 text-xs text-warn">{t('changes things')}</span>}
                </Checkbox>
              </li>
            ))}
          </ul>
        )}
        {errors.permissions && (
          <p role="alert" className="mt-1.5 text-xs text-bad">
            {errors.permissions}
          </p>
        )}
      </fieldset>
    </>
  )
}
