import { type FormEvent, useState } from 'react'
import { DeputySetDocument, MyDeputyDocument, type MyDeputyQuery } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'

const inDays = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)

/** Who is told of requests while the reader is away. */
export function AwayDialog({ onClose }: { onClose: () => void }) {
  const { data, loading, fault, retry } = useRead(MyDeputyDocument, {})
  return (
    <Dialog open onClose={onClose} title={t('While I am away')} description={t('Another admin is told of requests in your place, and decides by their own roles.')}>
      {fault && <ErrorBar fault={fault} retry={retry} />}
      {loading && <SkeletonRows rows={2} />}
      {data && <Form viewer={data.viewer} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ viewer, onClose }: { viewer: MyDeputyQuery['viewer']; onClose: () => void }) {
  const set = useMutate(DeputySetDocument)
  const [userId, setUserId] = useState(viewer.deputy?.userId ?? null)
  const [until, setUntil] = useState(viewer.deputy?.until.slice(0, 10) ?? inDays(7))
  const [error, setError] = useState<string>()
  const choices = viewer.deputyChoices ?? []
  const run = async (who: string | null) => {
    const payload = await set.run({ input: who ? { userId: who, until: new Date(`${until}T23:59:59`).toISOString() } : {} })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(payload.deputy ? t('{{name}} stands in for you', { name: payload.deputy.name }) : t('You are told of requests again'))
    onClose()
  }
  const save = (event: FormEvent) => {
    event.preventDefault()
    if (!userId) return setError(t('Choose who stands in for you.'))
    void run(userId)
  }
  return (
    <form noValidate onSubmit={save} className="flex flex-col gap-4">
      <Field label={t('Who')} required hint={choices.length === 0 ? t('Nobody else administers all that you do.') : t('Somebody who administers all that you do.')}>
        {(wiring) => <Picker {...wiring} items={choices.map((c) => ({ value: c.id, label: c.name }))} value={userId} onChange={setUserId} placeholder={t('An admin')} />}
      </Field>
      <Field label={t('Until the end of')}>{(wiring) => <Input {...wiring} type="date" min={inDays(0)} max={inDays(365)} value={until} onChange={(e) => setUntil(e.target.value)} className="w-44" />}</Field>
      {error && (
        <p role="alert" className="text-bad">
          {error}
        </p>
      )}
      {set.fault && <ErrorBar fault={set.fault} />}
      <DialogActions>
        {viewer.deputy && (
          <Button variant="ghost" busy={set.busy} onClick={() => run(null)}>
            {t('I am back')}
          </Button>
        )}
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button type="submit" variant="primary" busy={set.busy}>
          {t('Save')}
        </Button>
      </DialogActions>
    </form>
  )
}
