import { type ReactNode, useState } from 'react'
import { AgentPublishDocument, type AgentPartsFragment } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { Changes } from './changes'
import { Problems } from './problems'

/** The last look before a draft becomes what people talk to. */
export function Publish({ agent, fix, onClose }: { agent: AgentPartsFragment; fix: (code: string) => ReactNode; onClose: () => void }) {
  const { run, busy, fault } = useMutate(AgentPublishDocument)
  const [changelog, setChangelog] = useState('')
  const [error, setError] = useState<string>()
  const problems = agent.validation ?? []
  const blocked = problems.some((p) => p.blocking)
  const publish = async () => {
    setError(undefined)
    const payload = await run({ input: { agentId: agent.id, changelog: changelog.trim() || undefined, expectedVersion: agent.version } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} answers as version {{n}} now', { name: agent.name, n: payload.agent?.publishedVersion ?? 1 }))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={agent.publishedVersion ? t('Publish over version {{n}}', { n: agent.publishedVersion }) : t('Publish {{name}}', { name: agent.name })} description={t('Calls go through it from the next one on. It never changes; you can always go back.')} className="max-w-2xl">
      <div className="flex flex-col gap-4">
        {problems.length > 0 && <Problems problems={problems} stale={false} fix={fix} />}
        <Changes id={agent.id} from={agent.publishedVersion ?? 0} />
        <Field label={t('What is new')} hint={t('For those who look at its versions later.')}>
          {(wiring) => <Textarea {...wiring} value={changelog} onChange={(e) => setChangelog(e.target.value)} maxLength={2000} />}
        </Field>
        {(fault || error) && <ErrorBar fault={fault ?? { code: 'INVALID', message: error! }} />}
      </div>
      <DialogActions>
        <Button onClick={onClose}>{t('Not yet')}</Button>
        <Button variant="primary" busy={busy} disabled={blocked} onClick={() => void publish()}>
          {t('Publish in Copilot')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
