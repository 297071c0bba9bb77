import { CircleCheck } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { DomainApproveDocument, type DomainPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Field, Input, Textarea } from '@/kit/field'
import { t } from '@/lib/i18n'
import { domainProblem, tidyDomain } from './name'

/** For super admins: a domain is an account's because an operator says so. */
export function ApproveDomain({ account }: { account: { id: string; name: string } }) {
  const approve = useMutate(DomainApproveDocument)
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [asking, setAsking] = useState(false)
  const [approved, setApproved] = useState<readonly DomainPartsFragment[]>([])
  const ask = (event: FormEvent) => {
    event.preventDefault()
    const found: Record<string, string> = {}
    const problem = domainProblem(name)
    if (problem) found.domain = problem
    if (!reason.trim()) found.reason = t('Say how you know that it is theirs.')
    setErrors(found)
    if (Object.keys(found).length === 0) setAsking(true)
  }
  const run = async () => {
    const payload = await approve.run({ input: { accountId: account.id, domain: tidyDomain(name), reason: reason.trim() } })
    if (!payload) return
    if (payload.errors.length > 0) {
      setAsking(false)
      return setErrors(byField(payload.errors))
    }
    if (payload.domain) setApproved([payload.domain, ...approved])
    setAsking(false)
    setName('')
    setReason('')
  }
  const other = errors[''] ?? errors.accountId
  return (
    <Card>
      <CardHead title={t('Approve a domain')} note={t('For accounts that can\'t set a DNS record. Their list of domains is their own: you see only what you approve here.')} />
      <form noValidate onSubmit={ask} className="flex max-w-xl flex-col gap-4 px-4 pb-4">
        <Field label={t('Domain')} required error={errors.domain ?? errors.name}>
          {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} placeholder="example.com" autoComplete="off" autoCapitalize="none" spellCheck={false} />}
        </Field>
        <Field label={t('Reason')} required error={errors.reason} hint={t('Kept in the audit logs of the platform and of {{account}}.', { account: account.name })}>
          {(wiring) => <Textarea {...wiring} value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} placeholder={t('Signed order of 12 May names the domain')} />}
        </Field>
        {other && (
          <p role="alert" className="text-bad">
            {other}
          </p>
        )}
        <div>
          <Button type="submit" variant="primary">
            {t('Approve domain…')}
          </Button>
        </div>
      </form>
      {approved.length > 0 && (
        <ul aria-live="polite" className="border-t border-line">
          {approved.map((d) => (
            <li key={d.id} className="flex items-center gap-2.5 border-b border-line px-4 py-2 last:border-b-0">
              <CircleCheck aria-hidden className="size-4 shrink-0 text-ok" />
              <span className="font-medium">{d.name}</span>
              <span className="text-muted">{t('is the domain of {{account}} now', { account: account.name })}</span>
            </li>
          ))}
        </ul>
      )}
      {asking && (
        <Confirm danger={false} title={t('Is {{domain}} the domain of {{account}}?', { domain: tidyDomain(name), account: account.name })} description={reason} action={t('Approve domain')} busy={approve.busy} fault={approve.fault} onConfirm={run} onClose={() => setAsking(false)}>
          <ul className="list-disc space-y-1 ps-5">
            <li>{t('People with an address there are sent to the identity provider of {{account}} when they sign in.', { account: account.name })}</li>
            <li>{t('No other account can prove the domain while it is theirs.')}</li>
            <li>{t('Nobody checks your word: a wrong one lets the account take over sign-ins of strangers.')}</li>
          </ul>
        </Confirm>
      )}
    </Card>
  )
}
