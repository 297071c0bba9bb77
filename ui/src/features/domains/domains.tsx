import { Globe, Plus, RotateCw, Trash2 } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { DomainCreateDocument, DomainDeleteDocument, type DomainPartsFragment, DomainsDocument, DomainVerifyDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { usePages } from '@/graphql/pages'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { TableFoot } from '@/kit/more'
import { Notice } from '@/kit/notice'
import { PageHead } from '@/kit/page'
import { Record } from '@/kit/record'
import { SkeletonRows } from '@/kit/skeleton'
import { Empty, ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, day, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { useKeys } from '@/lib/keys'
import { useUrl } from '@/lib/url'
import { domainProblem, tidyDomain } from './name'

/** Mail domains of the account: proved ones lead their people to its identity providers. */
export function DomainsPage() {
  const [url, setUrl] = useUrl<{ new: string }>()
  const { data, rows, loading, fetching, fault, retry, more } = usePages(DomainsDocument, {}, (d) => d.account?.domains)
  const [leaving, setLeaving] = useState<DomainPartsFragment>()
  const mayChange = may(data?.account, 'domain.configure')
  useKeys({ c: () => mayChange && setUrl({ new: 'domain' }) })
  const claim = mayChange && (
    <Button variant="primary" size="sm" onClick={() => setUrl({ new: 'domain' })}>
      <Plus aria-hidden /> {t('Claim a domain')}
    </Button>
  )
  return (
    <>
      <PageHead title={t('Domains')} note={t('People with an address at a verified domain are sent to your identity provider when they sign in.')}>
        {claim}
      </PageHead>
      {fault && (
        <div className="mb-4">
          <ErrorBar fault={fault} retry={retry} />
        </div>
      )}
      <Card>
        {loading && <SkeletonRows rows={3} height="h-16" />}
        {data?.account?.domains && rows.length === 0 && (
          <Empty icon={<Globe aria-hidden />} title={t('No domain yet')} action={claim}>
            {t('Claim the domain of your mail addresses, and prove with one DNS record that it is yours.')}
          </Empty>
        )}
        <ul>
          {rows.map((d) => (
            <Row key={d.id} domain={d} mayChange={mayChange} onChecked={retry} onLeave={() => setLeaving(d)} />
          ))}
        </ul>
        <TableFoot more={more} busy={fetching} />
      </Card>
      {url.new === 'domain' && mayChange && <Claim onClose={() => setUrl({ new: undefined })} />}
      {leaving && <GiveUp domain={leaving} enforced={data?.account?.ssoEnforced ?? false} onClose={() => setLeaving(undefined)} />}
    </>
  )
}

function Row({ domain: d, mayChange, onChecked, onLeave }: { domain: DomainPartsFragment; mayChange: boolean; onChecked: () => void; onLeave: () => void }) {
  const verify = useMutate(DomainVerifyDocument)
  const [found, setFound] = useState<string>()
  const check = async () => {
    setFound(undefined)
    const payload = await verify.run({ input: { domainId: d.id } })
    if (!payload) return
    if (payload.errors[0]) {
      setFound(payload.errors[0].message)
      return onChecked()
    }
    toast(t('{{domain}} is verified', { domain: d.name }))
  }
  const problem = found ?? d.checkError
  return (
    <li className="border-b border-line px-4 py-3 last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-0 grow basis-48">
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="font-medium break-all">{d.name}</span>
            {d.verified ? (
              <Badge tone="ok" dot>
                {t('Verified')}
              </Badge>
            ) : (
              <Badge tone="warn">{t('To be proved')}</Badge>
            )}
          </p>
          <p className="text-xs text-muted">
            {d.verified && d.verifiedAt ? (
              <time title={utc(d.verifiedAt)}>{d.verifiedBy === 'OPERATOR' ? t("By the operator's word, {{day}}", { day: day(d.verifiedAt) }) : t('By DNS record, {{day}}', { day: day(d.verifiedAt) })}</time>
            ) : d.checkedAt ? (
              <time title={utc(d.checkedAt)}>{t('Looked up {{when}}', { when: ago(d.checkedAt) })}</time>
            ) : (
              t('Not looked up yet')
            )}
          </p>
        </div>
        {mayChange && (
          <div className="flex gap-1.5">
            {!d.verified && (
              <Button size="sm" busy={verify.busy} onClick={check} aria-label={t('Verify {{domain}}', { domain: d.name })}>
                <RotateCw aria-hidden /> {t('Verify')}
              </Button>
            )}
            <Button size="sm" variant="ghost" onClick={onLeave} aria-label={t('Give up {{domain}}', { domain: d.name })}>
              <Trash2 aria-hidden /> <span className="max-sm:sr-only">{t('Give up')}</span>
            </Button>
          </div>
        )}
      </div>
      {!d.verified && (
        <div className="mt-3 max-w-2xl">
          <p className="mb-1.5 text-sm">{t('Set this TXT record where the DNS of {{domain}} is kept, then verify. It may take an hour to be seen.', { domain: d.name })}</p>
          <Record
            rows={[
              { name: t('Name'), value: d.recordName, copy: t('Copy the name of the record') },
              { name: t('Value'), value: d.recordValue, copy: t('Copy the value of the record') },
            ]}
          />
        </div>
      )}
      <div aria-live="polite">
        {!d.verified && problem && (
          <Notice tone="warn" title={t('The record could not be taken')} className="mt-3 max-w-2xl">
            {problem}
          </Notice>
        )}
        {verify.fault && (
          <div className="mt-3">
            <ErrorBar fault={verify.fault} retry={check} />
          </div>
        )}
      </div>
    </li>
  )
}

function Claim({ onClose }: { onClose: () => void }) {
  const create = useMutate(DomainCreateDocument)
  const [name, setName] = useState('')
  const [error, setError] = useState<string>()
  const claim = async (event: FormEvent) => {
    event.preventDefault()
    const problem = domainProblem(name)
    if (problem) return setError(problem)
    const payload = await create.run({ input: { name: tidyDomain(name) } })
    if (!payload) return
    const found = byField(payload.errors)
    if (payload.errors.length > 0) return setError(found.name ?? payload.errors[0]!.message)
    toast(t('Now prove that {{domain}} is yours', { domain: payload.domain?.name ?? name }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Claim a domain')} description={t('Nothing changes for anybody until the domain is proved to be yours.')}>
      <form noValidate onSubmit={claim} className="flex flex-col gap-4">
        <Field label={t('Domain')} required error={error} hint={t('What comes after the @ in the addresses of your people. Subdomains are claimed one by one.')}>
          {(wiring) => <Input {...wiring} autoFocus value={name} onChange={(e) => setName(e.target.value)} placeholder="example.com" autoComplete="off" autoCapitalize="none" spellCheck={false} inputMode="url" />}
        </Field>
        {create.fault && <ErrorBar fault={create.fault} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={create.busy}>
            {t('Claim domain')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function GiveUp({ domain: d, enforced, onClose }: { domain: DomainPartsFragment; enforced: boolean; onClose: () => void }) {
  const drop = useMutate(DomainDeleteDocument)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await drop.run({ input: { domainId: d.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{domain}} is given up', { domain: d.name }))
    onClose()
  }
  return (
    <Confirm title={t('Give {{domain}} up?', { domain: d.name })} action={t('Give up domain')} keep={t('Keep it')} type={d.verified ? d.name : undefined} busy={drop.busy} fault={drop.fault} error={error} onConfirm={run} onClose={onClose}>
      <ul className="list-disc space-y-1 ps-5">
        {d.verified ? (
          <>
            <li>{t('People with an address there are no longer sent to your identity provider.')}</li>
            <li>{t('Another account can prove it from then on.')}</li>
            {enforced && <li>{t('Single sign-on is enforced: if this is the only verified domain, it has to stay until that is switched off.')}</li>}
          </>
        ) : (
          <li>{t('Only your claim goes. You can claim it again, with another record.')}</li>
        )}
      </ul>
    </Confirm>
  )
}
