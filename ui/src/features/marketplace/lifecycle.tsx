import { CircleArrowUp, Pencil, Users, Undo2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { byField } from '@/graphql/fault'
import { type ListingImpactPartsFragment, type ListingPartsFragment, ListingReviewDocument, ListingSubmitDocument, ListingWithdrawDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Facts } from '@/kit/facts'
import { Field, Textarea } from '@/kit/field'
import { Notice } from '@/kit/notice'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { count, exact } from '@/lib/format'
import { t } from '@/lib/i18n'
import { Diff } from './diff'
import { Edit } from './edit'
import { OfferListing } from './offer'
import type { Home } from './places'
import { NextVersion } from './platform-form'
import { ReachFacts } from './reach'
import { statusName, statusTone } from './words'

type Props = { listing: ListingPartsFragment; home: Home }

const says: Record<ListingPartsFragment['status'], string> = {
  DRAFT: t('You and the other admins here see it. Hand it in when it is ready.'),
  IN_REVIEW: t('Somebody else looks at it before people see it.'),
  PUBLISHED: t('People find it in the marketplace.'),
  REJECTED: t('It was sent back. Change what is asked for, and hand it in again.'),
  WITHDRAWN: t('Nobody finds it any more; what was installed stays. Hand it in to bring it back.'),
}

/** Where a listing of one's own stands, and what can be done about it. */
export function Lifecycle({ listing: l, home }: Props) {
  const [act, setAct] = useState<'edit' | 'submit' | 'withdraw' | 'offer'>()
  const platform = home === 'platform'
  const model = l.kind === 'MODEL'
  const close = () => setAct(undefined)
  const offers = l.viewerCan.find((p) => p.action === 'listing.create')
  const refused = !platform && offers && !offers.allowed ? offers.reason : undefined
  return (
    <Card>
      <CardHead title={t('Listing')}>
        <span className="flex gap-1.5">
          <Badge tone={statusTone[l.status]}>{statusName[l.status]}</Badge>
          {l.status === 'PUBLISHED' && l.versions[0]?.status === 'IN_REVIEW' && <Badge tone="info">{t('Next version in review')}</Badge>}
        </span>
      </CardHead>
      <div className="flex flex-col gap-3 px-4 pb-4 text-sm">
        <p className="text-muted">{says[l.status]}</p>
        {l.reviewNote && <Notice tone={l.status === 'REJECTED' ? 'warn' : 'info'}>{t('The review said: “{{note}}”', { note: l.reviewNote })}</Notice>}
        <div className="flex flex-wrap gap-2">
          <Button size="sm" onClick={() => setAct('edit')}>
            <Pencil aria-hidden /> {t('Edit')}
          </Button>
          {platform && !model && (
            <Button size="sm" onClick={() => setAct('offer')}>
              <Users aria-hidden /> {t('Offer')}
            </Button>
          )}
          {!model && (
            <Button size="sm" variant={l.status === 'DRAFT' || l.status === 'REJECTED' ? 'primary' : 'secondary'} disabled={Boolean(refused)} onClick={() => setAct('submit')}>
              <CircleArrowUp aria-hidden /> {l.status === 'PUBLISHED' ? t('New version') : l.status === 'IN_REVIEW' ? t('Submit anew') : t('Submit for review')}
            </Button>
          )}
          {!model && l.status !== 'WITHDRAWN' && (
            <Button size="sm" variant="ghost" onClick={() => setAct('withdraw')}>
              <Undo2 aria-hidden /> {t('Withdraw')}
            </Button>
          )}
        </div>
        {refused && !model && <p className="text-muted">{refused}</p>}
      </div>
      {act === 'edit' && <Edit listing={l} marks={platform} onClose={close} />}
      {act === 'submit' && (platform ? <NextVersion listing={l} onClose={close} /> : <Submit listing={l} onClose={close} />)}
      {act === 'withdraw' && <Withdraw listing={l} onClose={close} />}
      {act === 'offer' && <OfferListing listing={l} onClose={close} />}
    </Card>
  )
}

/** Hands an own agent or connection in, as it is now. */
function Submit({ listing: l, onClose }: { listing: ListingPartsFragment; onClose: () => void }) {
  const { run, busy, fault } = useMutate(ListingSubmitDocument)
  const [changelog, setChangelog] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const submit = async () => {
    const payload = await run({ input: { listingId: l.id, changelog: changelog.trim() || undefined } })
    if (!payload) return
    if (payload.errors.length > 0) return setErrors(byField(payload.errors))
    toast(t('{{name}} waits for an admin of Copilot', { name: l.name }))
    onClose()
  }
  const other = Object.entries(errors).find(([field]) => field !== 'changelog')?.[1]
  return (
    <Dialog open onClose={onClose} title={t('Submit {{name}}', { name: l.name })} description={t('The {{what}} is taken as it is now. An admin of Copilot who is somebody else publishes it, or sends it back with a note.', { what: l.kind === 'CONNECTION' ? t('connection') : t("agent's version in use") })}>
      <div className="flex flex-col gap-4">
        <Field label={t('What is new')} error={errors.changelog} hint={t('For those who look at it, and for those who have it.')}>
          {(wiring) => <Textarea {...wiring} value={changelog} onChange={(e) => setChangelog(e.target.value)} maxLength={2000} />}
        </Field>
        {(fault || other) && <ErrorBar fault={fault ?? { code: 'INVALID', message: other! }} />}
      </div>
      <DialogActions>
        <Button onClick={onClose}>{t('Not yet')}</Button>
        <Button variant="primary" busy={busy} onClick={() => void submit()}>
          {t('Submit for review')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}

/** Accounts that lose it, and how much they used it. */
export function ImpactOf({ impact: i }: { impact: ListingImpactPartsFragment }) {
  if (i.installations === 0) return <p className="text-sm text-muted">{t('Nobody has installed it.')}</p>
  const shown = i.accounts.slice(0, 5).join(', ')
  return (
    <div className="flex flex-col gap-3">
      <Notice tone="warn">{i.accounts.length > 5 ? t('What {{accounts}} and {{count}} more installed stays, and gets no more updates.', { accounts: shown, count: i.accounts.length - 5 }) : t('What {{accounts}} installed stays, and gets no more updates.', { accounts: shown })}</Notice>
      <Facts
        className="grid-cols-[14rem_1fr] max-sm:grid-cols-[10rem_1fr]"
        facts={[
          [t('Installations'), count(i.installations)],
          [t('Calls of the last 30 days'), count(i.calls)],
          [t('Credits of the last 30 days'), exact(i.credits, 'CREDITS')],
        ]}
      />
    </div>
  )
}

function Withdraw({ listing: l, onClose }: { listing: ListingPartsFragment; onClose: () => void }) {
  const withdraw = useMutate(ListingWithdrawDocument)
  const rehearse = useMutate(ListingWithdrawDocument)
  const [impact, setImpact] = useState<ListingImpactPartsFragment>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    void rehearse.run({ input: { listingId: l.id, dryRun: true } }).then((p) => {
      if (p?.errors[0]) setError(p.errors[0].message)
      else if (p?.impact) setImpact(p.impact)
    })
    // Asked once, as it opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  const run = async () => {
    const payload = await withdraw.run({ input: { listingId: l.id } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is withdrawn', { name: l.name }))
    onClose()
  }
  return (
    <Confirm title={t('Withdraw {{name}}?', { name: l.name })} description={t('Nobody finds or installs it any more.')} action={t('Withdraw listing')} keep={t('Keep it')} blocked={!impact} busy={withdraw.busy} error={error} fault={withdraw.fault ?? rehearse.fault} onConfirm={() => void run()} onClose={onClose}>
      {impact ? <ImpactOf impact={impact} /> : !error && <SkeletonRows rows={2} height="h-8" />}
    </Confirm>
  )
}

/** The version that waits, for those who may publish it. */
export function Review({ listing: l }: { listing: ListingPartsFragment }) {
  const { run, busy, fault } = useMutate(ListingReviewDocument)
  const [note, setNote] = useState('')
  const [error, setError] = useState<string>()
  if (!l.review) return null
  const decide = async (publish: boolean) => {
    if (!publish && !note.trim()) return setError(t('Say what is to be changed.'))
    setError(undefined)
    const payload = await run({ input: { listingId: l.id, publish, note: note.trim() || undefined } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(publish ? t('{{name}} is published', { name: l.name }) : t('{{name}} is sent back', { name: l.name }))
    setNote('')
  }
  return (
    <Card className="border-accent/50">
      <CardHead title={t('Waits for your review')} />
      <div className="flex flex-col gap-4 px-4 pb-4 text-sm">
        <ReachFacts review={l.review} />
        {l.versions.find((v) => v.number === l.review!.number)?.changelog && <blockquote className="border-s-2 border-line-strong ps-3 break-words whitespace-pre-line">{l.versions.find((v) => v.number === l.review!.number)!.changelog}</blockquote>}
        {l.review.changes.length > 0 && <Diff changes={l.review.changes} />}
        <Field label={t('Note')} error={error} hint={t('For those who made it; needed to send it back.')}>
          {(wiring) => <Textarea {...wiring} value={note} onChange={(e) => setNote(e.target.value)} maxLength={1000} className="min-h-16" />}
        </Field>
        {fault && <ErrorBar fault={fault} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button size="sm" disabled={busy} onClick={() => void decide(false)}>
            {t('Send back')}
          </Button>
          <Button size="sm" variant="primary" busy={busy} onClick={() => void decide(true)}>
            {t('Publish')}
          </Button>
        </div>
      </div>
    </Card>
  )
}

/** Whether the viewer runs the listing itself. */
export const manages = (l: ListingPartsFragment) => may(l, 'listing.manage') || may(l, 'platformListing.manage')
