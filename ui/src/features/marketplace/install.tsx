import { CircleCheck, TriangleAlert } from 'lucide-react'
import { useEffect, useState } from 'react'
import { byField } from '@/graphql/fault'
import { ListingInstallDocument, type ListingInstallMutation, type ListingPartsFragment, type ScopeKind } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useViewer } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Input } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { useDebounced } from '@/lib/debounce'
import { t } from '@/lib/i18n'
import { type PlaceItem, PlacePicker } from '@/features/roles'

const places: readonly ScopeKind[] = ['COPILOT', 'ORGANIZATION', 'TEAM']

type Lacks = NonNullable<NonNullable<ListingInstallMutation['listingInstall']>['lacks']>

type Props = { listing: ListingPartsFragment; onClose: () => void; onMade: (resourceId: string) => void }

/** Where it goes and under what name; what it would lack there is told before. */
export function Install({ listing: l, onClose, onMade }: Props) {
  const { account } = useViewer()
  const install = useMutate(ListingInstallDocument, { once: true })
  const rehearse = useMutate(ListingInstallDocument)
  const model = l.kind === 'MODEL'
  const [place, setPlace] = useState<PlaceItem | null>(null)
  const [name, setName] = useState('')
  const [lacks, setLacks] = useState<Lacks>()
  const [errors, setErrors] = useState<Record<string, string>>({})
  const ready = model || Boolean(place)
  const asked = useDebounced(JSON.stringify({ listingId: l.id, scopeId: model ? undefined : place?.value, name: name.trim() || undefined }))

  useEffect(() => {
    if (!ready) return
    let current = true
    void rehearse.run({ input: { ...(JSON.parse(asked) as { listingId: string }), dryRun: true } }).then((p) => {
      if (!current || !p) return
      setErrors(byField(p.errors))
      setLacks(p.errors.length === 0 ? (p.lacks ?? []) : undefined)
    })
    return () => {
      current = false
    }
    // Asked anew for each place and name.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asked, ready])

  const submit = async () => {
    if (!ready) return setErrors({ scopeId: t('Choose where it belongs.') })
    const payload = await install.run({ input: { listingId: l.id, scopeId: model ? undefined : place!.value, name: name.trim() || undefined } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(model ? t('{{name}} is switched on', { name: l.name }) : t('{{name}} is installed at {{place}}', { name: payload.installation?.name ?? l.name, place: payload.installation?.scopeName ?? '' }))
    onMade(payload.installation!.resourceId)
  }
  const other = Object.entries(errors).find(([field]) => field !== 'name' && field !== 'scopeId')?.[1]
  return (
    <Dialog open onClose={onClose} title={t('Install {{name}}', { name: l.name })} description={model ? t('It is switched on for all of Copilot; grants say who may call it.') : t('It belongs to where you install it, and is run by the admins there.')}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void submit()
        }}
      >
        {!model && (
          <>
            <Field label={t('Where')} required error={errors.scopeId}>
              {(wiring) => <PlacePicker {...wiring} plane="COPILOT" action="listing.install" kinds={places} value={place} onChange={setPlace} placeholder={t('Copilot, an organization or a team')} />}
            </Field>
            <Field label={t('Name in {{account}}', { account: account.name })} error={errors.name} hint={l.kind === 'CONNECTION' ? t('It stands before each tool, in small letters: github__search.') : undefined}>
              {(wiring) => <Input {...wiring} value={name} onChange={(e) => setName(e.target.value)} placeholder={l.kind === 'CONNECTION' ? callName(l.name) : l.name} maxLength={120} />}
            </Field>
          </>
        )}
        {ready && !lacks && !rehearse.fault && Object.keys(errors).length === 0 && <SkeletonRows rows={2} height="h-10" />}
        {lacks && <Lacking lacks={lacks} />}
        {other && <Notice tone="bad">{other}</Notice>}
        {(install.fault ?? rehearse.fault) && <ErrorBar fault={(install.fault ?? rehearse.fault)!} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={install.busy} disabled={ready && !lacks}>
            {t('Install in Copilot')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

/** The name that the server makes of one that isn't written in small letters. */
const callName = (name: string) => name.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean).join('-').slice(0, 40) || 'connection'

const usual = new Set(['draft', 'tools', 'sign-in', 'credential', 'not-granted'])

/** What comes next, and what stands in the way. */
function Lacking({ lacks }: { lacks: Lacks }) {
  return (
    <section aria-label={t('After installing')} className="rounded-md border border-line">
      <h3 className="border-b border-line bg-bg px-3 py-2 text-xs font-semibold">{t('After installing')}</h3>
      <ul>
        {lacks.map((lack) => (
          <li key={`${lack.code} ${lack.message}`} className="flex items-start gap-2.5 border-b border-line px-3 py-2.5 text-sm last:border-b-0">
            {usual.has(lack.code) ? <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" /> : <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />}
            <span className="min-w-0">
              <span className="block">{lack.message}</span>
              <span className="block text-xs text-muted">{lack.fix}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
