import { type FormEvent, useState } from 'react'
import { byField } from '@/graphql/fault'
import { DomainApproveDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Field, Input, Textarea } from '@/kit/field'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { domainProblem, tidyDomain } from './name'

/** For super admins: a domain is an account's because an operator says so. */
export function ApproveDomain({ account, onApproved }: { account: { id: string; name: string }; onApproved: () => void }) {
  const approve = useMutate(DomainApproveDocument)
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const [asking, setAsking] = useState(false)
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
    toast(t('{{domain}} is the domain of {{account}} now', { domain: tidyDomain(name), account: account.name }))
    onApproved()
    setAsking(false)
    setName('')
    setReason('')
  }
  const other = errors[''] ?? errors.accountId
  return (
    <Card>
      <CardHead title={t('Approve a domain')} note={t('For accounts that can\'t set a DNS record.')} />
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
