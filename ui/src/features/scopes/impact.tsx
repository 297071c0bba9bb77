import { useEffect, useState } from 'react'
import type { ImpactPartsFragment } from '@/graphql/generated/graphql'
import { SkeletonRows } from '@/kit/skeleton'
import { t } from '@/lib/i18n'

export type Deed = 'delete' | 'archive' | 'move'

/** What would happen, one sentence an effect; the counts are the server's. */
export function effects(i: ImpactPartsFragment, deed: Deed): string[] {
  return [
    i.teams > 0 && t('{{count}} teams go with it.', { count: i.teams }),
    i.seatsMoved > 0 && (deed === 'move' ? t('{{count}} people move with it.', { count: i.seatsMoved }) : t('{{count}} people move to the default team.', { count: i.seatsMoved })),
    i.seatsEnded > 0 && t('{{count}} seats end.', { count: i.seatsEnded }),
    i.keysRevoked > 0 && (deed === 'archive' ? t('{{count}} virtual keys are refused until it is restored.', { count: i.keysRevoked }) : t('{{count}} virtual keys are refused from now on.', { count: i.keysRevoked })),
    i.budgetsEnded > 0 && t('{{count}} budgets end; what was spent stays on the books.', { count: i.budgetsEnded }),
    i.grantsRemoved > 0 && t('{{count}} grants of models go.', { count: i.grantsRemoved }),
    i.rolesEnded > 0 && t('{{count}} roles end.', { count: i.rolesEnded }),
    i.invitationsRevoked > 0 && t('{{count}} open invitations are taken back.', { count: i.invitationsRevoked }),
    ...i.notes,
  ].filter((s): s is string => Boolean(s))
}

/** The effects in a dialog, while they are being counted and after. */
export function ImpactList({ impact, none, deed = 'delete' }: { impact?: ImpactPartsFragment | null; none: string; deed?: Deed }) {
  if (!impact) return <SkeletonRows rows={3} height="h-8" />
  const found = effects(impact, deed)
  if (found.length === 0) return <p>{none}</p>
  return (
    <ul aria-label={t('What happens')} className="list-disc space-y-1 ps-5">
      {found.map((e) => (
        <li key={e}>{e}</li>
      ))}
    </ul>
  )
}

/** Counts what an action would do, when its dialog opens. */
export function useDryRun(count: () => Promise<ImpactPartsFragment | string | null | undefined>, key: string): { impact?: ImpactPartsFragment; refusal?: string } {
  const [result, setResult] = useState<{ key: string; impact?: ImpactPartsFragment; refusal?: string }>()
  useEffect(() => {
    let gone = false
    if (!key) return
    void count().then((found) => {
      if (gone || !found) return
      setResult(typeof found === 'string' ? { key, refusal: found } : { key, impact: found })
    })
    return () => {
      gone = true
    }
    // Counted once for every thing that is asked about.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [key])
  return result?.key === key ? result : {}
}
