import { zodResolver } from '@hookform/resolvers/zod'
import { useMemo, useState } from 'react'
import { Controller, useForm } from 'react-hook-form'
import { z } from '@/lib/zod'
import { byField } from '@/graphql/fault'
import { OrganizationChoicesDocument, OrganizationCreateDocument, TeamCreateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input, Textarea } from '@/kit/field'
import { Picker } from '@/kit/picker'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { ask, nameOf, pick, type Plane } from '@/lib/plane'

const shape = {
  name: z.string().trim().min(1, t('Give it a name.')).max(120, t('At most 120 characters.')),
  description: z.string().trim().max(500, t('At most 500 characters.')),
}

const organizationSchema = z.object({ ...shape, organizationId: z.string() })
const teamSchema = z.object({ ...shape, organizationId: z.string().min(1, t('Choose the organization that it belongs to.')) })

type Values = z.infer<typeof teamSchema>

type Props = { kind: 'ORGANIZATION' | 'TEAM'; plane: Plane; /** The plane's root. */ planeId?: string; organizationId?: string; onClose: () => void; onMade: (id: string) => void }

/** A new organization or team. */
export function CreateScope({ kind, plane, planeId, organizationId, onClose, onMade }: Props) {
  const team = kind === 'TEAM'
  const { data, fault: readFault, retry } = useRead(OrganizationChoicesDocument, ask(plane), !team)
  const organizations = useMutate(OrganizationCreateDocument)
  const teams = useMutate(TeamCreateDocument)
  const [refusal, setRefusal] = useState<string>()
  const { register, control, handleSubmit, setError, formState } = useForm<Values>({ resolver: zodResolver(team ? teamSchema : organizationSchema), defaultValues: { name: '', description: '', organizationId: organizationId ?? '' } })
  const { errors } = formState
  const choices = useMemo(() => (pick(data)?.organizations.edges ?? []).map((e) => e.node).filter((o) => !o.archivedAt && may(o, 'team.create')).map((o) => ({ value: o.id, label: o.name })), [data])
  const create = async (values: Values) => {
    setRefusal(undefined)
    const own = { name: values.name, description: values.description || undefined }
    const id = async () => {
      if (team) {
        const input = { ...own, organizationId: values.organizationId }
        const payload = await teams.run({ input })
        return payload && { id: payload.team?.id, errors: payload.errors }
      }
      const input = { ...own, planeId: planeId ?? '' }
      const payload = await organizations.run({ input })
      return payload && { id: payload.organization?.id, errors: payload.errors }
    }
    const made = await id()
    if (!made) return
    if (made.id) {
      toast(t('{{name}} is made', { name: values.name }))
      return onMade(made.id)
    }
    for (const [field, message] of Object.entries(byField(made.errors))) {
      if (field in values) setError(field as keyof Values, { message }, { shouldFocus: true })
      else setRefusal(message)
    }
  }
  return (
    <Dialog open onClose={onClose} title={team ? t('New team') : t('New organization')} description={team ? t('In {{plane}}. People have their seats in teams.', { plane: nameOf(plane) }) : t('In {{plane}}. It holds teams, and can have admins and a budget of its own.', { plane: nameOf(plane) })}>
      <form noValidate onSubmit={handleSubmit(create)} className="flex flex-col gap-4">
        <Field label={t('Name')} required error={errors.name?.message}>
          {(wiring) => <Input {...wiring} {...register('name')} autoFocus placeholder={team ? t('Risk') : t('Banking')} autoComplete="off" />}
        </Field>
        {team && (
          <Field label={t('Organization')} required error={errors.organizationId?.message}>
            {(wiring) => <Controller name="organizationId" control={control} render={({ field }) => <Picker {...wiring} items={choices} value={field.value} onChange={field.onChange} placeholder={t('Which organization?')} />} />}
          </Field>
        )}
        <Field label={t('Description')} error={errors.description?.message}>
          {(wiring) => <Textarea {...wiring} {...register('description')} placeholder={t('What it is for')} />}
        </Field>
        {refusal && (
          <p role="alert" className="text-bad">
            {refusal}
          </p>
        )}
        {(readFault ?? organizations.fault ?? teams.fault) && <ErrorBar fault={(readFault ?? organizations.fault ?? teams.fault)!} retry={readFault ? retry : undefined} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={organizations.busy || teams.busy}>
            {t('Create in {{plane}}', { plane: nameOf(plane) })}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
