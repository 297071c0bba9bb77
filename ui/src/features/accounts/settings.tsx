import { type FormEvent, useState } from 'react'
import { byField, type Fault } from '@/graphql/fault'
import { type AccountPartsFragment, AccountUpdateDocument, SettingsDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button, buttonClass } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Facts, Id } from '@/kit/facts'
import { Field, Input } from '@/kit/field'
import { PageHead } from '@/kit/page'
import { SkeletonBlock } from '@/kit/skeleton'
import { SpanField } from '@/kit/span-field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { Select } from '@/kit/select'
import { ZonePicker } from '@/kit/zone-picker'
import { count, dateTime, exact, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { joinMinutes, minutesWords } from '@/lib/span'
import { changed, type Draft, draftOf, problems, retentions } from './draft'
import { statusLook } from './status'

/** What the account is and what holds for all of its people. */
export function SettingsPage() {
  const { data, loading, fault, retry } = useRead(SettingsDocument, {})
  const a = data?.account
  return (
    <>
      <PageHead title={t('General')} note={t('What holds for the whole account, in both planes.')}>
        <a href="/graphiql" className={buttonClass({ size: 'sm' })}>
          {t('Open GraphiQL')}
        </a>
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-[1fr_20rem]">
        {loading && <SkeletonBlock className="h-[34rem]" />}
        {/* Another version is another form: nothing of an older one is saved over it. */}
        {a && (may(a, 'account.update') ? <Form key={a.version} account={a} onReload={retry} /> : <Reading account={a} />)}
        {loading && <SkeletonBlock className="h-64" />}
        {a && (
          <Card>
            <CardHead title={t('Kept by the platform')} note={t('Ask the people who run this Cockpit to change it.')} />
            <div className="px-4 pb-4">
              <Facts
                className="grid-cols-[7rem_1fr]"
                facts={[
                  [t('Status'), <Badge key="s" tone={statusLook[a.status].tone}>{statusLook[a.status].label}</Badge>],
                  [t('Products'), a.planes.map(nameOf).join(', ')],
                  [t('In addresses'), <code key="a" className="font-mono text-xs">{`/a/${a.slug}`}</code>],
                  [t('Credits per $'), a.creditFactor ? exact(a.creditFactor, 'CREDITS') : '–'],
                  [t('Users'), a.userCount === null || a.userCount === undefined ? '–' : count(a.userCount)],
                  [t('Since'), <time key="c" title={utc(a.createdAt)}>{dateTime(a.createdAt)}</time>],
                  [t('Id'), <Id key="i" id={a.id} />],
                ]}
              />
            </div>
          </Card>
        )}
      </div>
    </>
  )
}

function Form({ account: a, onReload }: { account: AccountPartsFragment; onReload: () => void }) {
  const update = useMutate(AccountUpdateDocument)
  const [draft, setDraft] = useState<Draft>(() => draftOf(a))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [conflict, setConflict] = useState<Fault>()
  const set = (patch: Partial<Draft>) => setDraft({ ...draft, ...patch })
  const input = changed(a, draft)
  const dirty = Object.keys(input).length > 0
  const save = async (event: FormEvent) => {
    event.preventDefault()
    setConflict(undefined)
    const found = problems(draft)
    setErrors(found)
    if (Object.keys(found).length > 0 || !dirty) return
    const payload = await update.run({ input: { ...input, expectedVersion: a.version ?? undefined } })
    if (!payload) return
    const clash = payload.errors.find((e) => e.code === 'CONFLICT')
    if (clash) return setConflict({ code: 'CONFLICT', message: clash.message })
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('Settings saved'))
  }
  const other = errors[''] ?? errors.accountId
  return (
    <form noValidate onSubmit={save}>
      <Card>
        <Section title={t('Name and time')}>
          <Field label={t('Name')} required error={errors.name}>
            {(wiring) => <Input {...wiring} value={draft.name} maxLength={120} onChange={(e) => set({ name: e.target.value })} autoComplete="off" />}
          </Field>
          <Field label={t('Time zone')} required error={errors.timeZone} hint={t('Budget cycles begin at its midnight. Cycles that have begun keep theirs.')}>
            {(wiring) => <ZonePicker {...wiring} value={draft.timeZone} onChange={(timeZone) => set({ timeZone })} />}
          </Field>
        </Section>
        <Section title={t('Sessions')} note={t('Shorter ones hold at once: who is past them has to sign in again.')}>
          <SpanField label={t('Ends without a request after')} value={draft.idle} onChange={(idle) => set({ idle })} error={errors.sessionIdleMinutes} hint={t('5 minutes to 30 days.')} />
          <SpanField label={t('Ends in any case after')} value={draft.lifetime} onChange={(lifetime) => set({ lifetime })} error={errors.sessionLifetimeMinutes} hint={t('15 minutes to 90 days.')} />
        </Section>
        <Section title={t('Audit log')}>
          <Field label={t('Keep events for')} error={errors.auditRetentionDays} hint={draft.retention === '0' ? t('Nothing is ever deleted.') : t('Older events are deleted for good, day by day. What remains can still be verified.')}>
            {(wiring) => <Select {...wiring} value={draft.retention} onChange={(retention) => set({ retention })} options={retentions(a.auditRetentionDays ?? 0)} />}
          </Field>
        </Section>
        {other && (
          <p role="alert" className="px-4 pb-3 text-bad">
            {other}
          </p>
        )}
        {(conflict ?? update.fault) && (
          <div className="px-4 pb-3">
            <ErrorBar fault={(conflict ?? update.fault)!} retry={conflict ? onReload : undefined} />
          </div>
        )}
        <div className="flex flex-wrap items-center justify-end gap-2 px-4 py-3">
          {dirty && (
            <Button
              onClick={() => {
                setDraft(draftOf(a))
                setErrors({})
              }}
            >
              {t('Discard')}
            </Button>
          )}
          <Button type="submit" variant="primary" busy={update.busy} disabled={!dirty}>
            {t('Save settings')}
          </Button>
        </div>
      </Card>
    </form>
  )
}

function Section({ title, note, children }: { title: string; note?: string; children: React.ReactNode }) {
  return (
    <section className="border-b border-line px-4 py-4 last:border-b-0">
      <h2 className="text-sm font-semibold">{title}</h2>
      {note && <p className="text-xs text-muted">{note}</p>}
      <div className="mt-3 grid gap-4 sm:grid-cols-2">{children}</div>
    </section>
  )
}

const length = (v: Draft['idle']) => minutesWords(joinMinutes(v.amount, v.unit) ?? 0)

/** For those who may look, not change. */
function Reading({ account: a }: { account: AccountPartsFragment }) {
  const draft = draftOf(a)
  return (
    <Card>
      <div className="px-4 py-4">
        <Facts
          className="grid-cols-[11rem_1fr]"
          facts={[
            [t('Name'), a.name],
            [t('Time zone'), t('{{zone}}; cycles begin at its midnight', { zone: a.timeZone })],
            [t('Sessions end idle after'), length(draft.idle)],
            [t('Sessions end after'), length(draft.lifetime)],
            [t('Audit events are kept'), retentions(a.auditRetentionDays ?? 0).find((r) => r.value === draft.retention)?.label],
          ]}
        />
      </div>
      <p className="border-t border-line px-4 py-2.5 text-xs text-muted">{t('You may look. Admins of the account change it.')}</p>
    </Card>
  )
}
