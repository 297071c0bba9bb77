import { Link } from '@tanstack/react-router'
import { ArrowUpCircle, CircleCheck, Hand, Trash2 } from 'lucide-react'
import { useEffect, useState } from 'react'
import { AskingSeatDocument, type ListingPartsFragment, ListingUninstallDocument, ListingUpgradeDocument, type ListingUpgradeMutation } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { useRead } from '@/graphql/query'
import { may } from '@/graphql/viewer'
import { Badge } from '@/kit/badge'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { Confirm } from '@/kit/confirm'
import { Dialog, DialogActions } from '@/kit/dialog'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { t } from '@/lib/i18n'
import { AskAccess } from '@/features/requests'
import { Diff } from './diff'
import { type Home, usePlaces } from './places'
import { WhatGoes } from './what-goes'

type Made = ListingPartsFragment['installations'][number]

const runs = (i: Made) => may(i, 'listing.install') || may(i, 'model.uninstall')

/** What the account has of it: to use, to ask for, and for admins to bring up to date or to take away. */
export function Installed({ listing: l, home }: { listing: ListingPartsFragment; home: Home }) {
  const [updating, setUpdating] = useState<Made>()
  const [removing, setRemoving] = useState<Made>()
  const [wanted, setWanted] = useState<Made>()
  const { agent } = usePlaces(home)
  const { data } = useRead(AskingSeatDocument, {})
  const seat = data?.viewer.seat
  const asks = may(seat, 'request.create')
  const installs = may(l, 'listing.install')
  return (
    <Card>
      <CardHead title={t('In your account')} note={l.installations.length > 0 ? undefined : installs ? t('Nobody has installed it yet.') : t('It is not installed where you work. An admin there can install it.')} />
      {l.installations.length > 0 && (
        <ul className="border-t border-line">
          {l.installations.map((i) => {
            const to = l.kind === 'CONNECTION' || l.kind === 'MODEL' || !runs(i) ? undefined : agent(i.resourceId)
            return (
              <li key={`${i.resourceId}${i.original}`} className="flex flex-col gap-2 border-b border-line px-4 py-3 last:border-b-0">
                <div className="flex items-start gap-2">
                  <div className="min-w-0 grow">
                    {to ? (
                      <Link to={to} className="font-medium break-words hover:underline">
                        {i.name}
                      </Link>
                    ) : (
                      <p className="font-medium break-words">{i.name}</p>
                    )}
                    <p className="text-xs text-muted">{[i.scopeName, i.original ? t('the original') : i.version > 0 && t('version {{n}}', { n: i.version })].filter(Boolean).join(' · ')}</p>
                  </div>
                  {i.outdated && <Badge tone="info">{t('Version {{n}} is out', { n: l.publishedVersion })}</Badge>}
                </div>
                {i.usable ? (
                  <p className="flex items-center gap-1.5 text-xs text-ok">
                    <CircleCheck aria-hidden className="size-3.5" /> {t('You can use it')}
                  </p>
                ) : (
                  i.reason && <p className="text-xs text-muted">{i.reason}</p>
                )}
                <div className="flex flex-wrap gap-2 empty:hidden">
                  {!i.usable && asks && (
                    <Button size="sm" onClick={() => setWanted(i)} aria-label={t('Ask for it: {{name}}', { name: i.name })}>
                      <Hand aria-hidden /> {t('Ask for it')}
                    </Button>
                  )}
                  {i.outdated && may(i, 'listing.install') && l.status === 'PUBLISHED' && (
                    <Button size="sm" variant="primary" onClick={() => setUpdating(i)} aria-label={t('Update {{name}}', { name: i.name })}>
                      <ArrowUpCircle aria-hidden /> {t('Update')}
                    </Button>
                  )}
                  {!i.original && runs(i) && (
                    <Button size="sm" variant="ghost" onClick={() => setRemoving(i)} aria-label={t('Uninstall {{name}}', { name: i.name })}>
                      <Trash2 aria-hidden /> {t('Uninstall')}
                    </Button>
                  )}
                </div>
              </li>
            )
          })}
        </ul>
      )}
      {updating && <Update made={updating} agent={l.kind !== 'CONNECTION'} onClose={() => setUpdating(undefined)} />}
      {removing && <Uninstall made={removing} kind={l.kind} onClose={() => setRemoving(undefined)} />}
      {wanted && seat && <AskAccess scope={seat} resource={{ id: wanted.resourceId, name: wanted.name }} onClose={() => setWanted(undefined)} />}
    </Card>
  )
}

/** The newest version beside the installed one. */
function Update({ made, agent, onClose }: { made: Made; agent: boolean; onClose: () => void }) {
  const upgrade = useMutate(ListingUpgradeDocument)
  const [changes, setChanges] = useState<NonNullable<ListingUpgradeMutation['listingUpgrade']['changes']>>()
  const [error, setError] = useState<string>()
  const run = async (dryRun: boolean) => {
    const payload = await upgrade.run({ input: { resourceId: made.resourceId, dryRun } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    if (dryRun) return setChanges(payload.changes ?? [])
    toast(t('{{name}} is at version {{n}}', { name: made.name, n: payload.installation?.version ?? 0 }))
    onClose()
  }
  useEffect(() => {
    void run(true)
    // Asked once, as it opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  return (
    <Dialog open onClose={onClose} title={t('Update {{name}}', { name: made.name })} description={agent ? t('The draft becomes the newest version. What is live stays until you publish the draft.') : t('It holds from the next call on. Where it leads elsewhere, people sign in anew.')} className="max-w-2xl">
      {changes ? <Diff changes={changes} /> : !error && !upgrade.fault && <SkeletonRows rows={3} />}
      {(error || upgrade.fault) && <ErrorBar fault={upgrade.fault ?? { code: 'INVALID', message: error! }} />}
      <DialogActions>
        <Button onClick={onClose}>{t('Not yet')}</Button>
        <Button variant="primary" busy={Boolean(changes) && upgrade.busy} disabled={!changes} onClick={() => void run(false)}>
          {t('Update in Copilot')}
        </Button>
      </DialogActions>
    </Dialog>
  )
}

function Uninstall({ made, kind, onClose }: { made: Made; kind: ListingPartsFragment['kind']; onClose: () => void }) {
  const remove = useMutate(ListingUninstallDocument)
  const [counted, setCounted] = useState(false)
  const [error, setError] = useState<string>()
  const run = async () => {
    const payload = await remove.run({ input: { resourceId: made.resourceId } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('{{name}} is uninstalled', { name: made.name }))
    onClose()
  }
  return (
    <Confirm
      title={t('Uninstall {{name}}?', { name: made.name })}
      description={kind === 'MODEL' || kind === 'CONNECTION' ? t('It is switched off: calls are refused at once. What was used stays on the books.') : t('The agent is retired: calls are refused at once. What was used stays on the books.')}
      action={t('Uninstall in Copilot')}
      keep={t('Keep it')}
      blocked={!counted}
      busy={remove.busy}
      error={error}
      fault={remove.fault}
      onConfirm={() => void run()}
      onClose={onClose}
    >
      <WhatGoes resourceId={made.resourceId} onCounted={() => setCounted(true)} />
    </Confirm>
  )
}
