import { useEffect, useState } from 'react'
import { ListingUninstallDocument, type ListingUninstallMutation } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Facts } from '@/kit/facts'
import { SkeletonRows } from '@/kit/skeleton'
import { ErrorBar } from '@/kit/state'
import { count, exact } from '@/lib/format'
import { t } from '@/lib/i18n'

type Lost = NonNullable<ListingUninstallMutation['listingUninstall']['impact']>

/** What goes when something that was installed is taken away, counted before it is done. */
export function WhatGoes({ resourceId, onCounted }: { resourceId: string; onCounted?: () => void }) {
  const { run, fault, setFault } = useMutate(ListingUninstallDocument)
  const [impact, setImpact] = useState<Lost>()
  useEffect(() => {
    void run({ input: { resourceId, dryRun: true } }).then((p) => {
      if (p?.errors[0]) return setFault(p.errors[0])
      if (!p?.impact) return
      setImpact(p.impact)
      onCounted?.()
    })
    // Asked once, as it opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [resourceId])
  if (fault) return <ErrorBar fault={fault} />
  if (!impact) return <SkeletonRows rows={3} height="h-8" />
  const i = impact
  return (
    <Facts
      className="grid-cols-[14rem_1fr] max-sm:grid-cols-[10rem_1fr]"
      facts={[
        [t('Grants that allow it'), count(i.grants)],
        i.tools > 0 && [t('Tools that go with it'), count(i.tools)],
        i.keys > 0 && [t('Keys that list it'), count(i.keys)],
        i.agents > 0 && [t('Agents that call it'), count(i.agents)],
        i.defaults > 0 && [t('Scopes that have it as default'), count(i.defaults)],
        [t('Calls of the last 30 days'), count(i.calls)],
        [t('Credits of the last 30 days'), exact(i.credits, 'CREDITS')],
      ]}
    />
  )
}
