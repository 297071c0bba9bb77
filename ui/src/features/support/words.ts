import type { SupportPartsFragment } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

type Access = Pick<SupportPartsFragment, 'active' | 'endedAt' | 'endedByName' | 'staffName' | 'expiresAt'>

export const reads = (writes: boolean) => (writes ? t('may change settings') : t('reads only'))

export type Ending = 'open' | 'ended' | 'ranOut'

/** How a visit stands, or ended. `now` matters for one that ran out while it was looked at. */
export function ending(a: Access, now = new Date()): Ending {
  if (a.endedAt) return 'ended'
  return a.active && new Date(a.expiresAt) > now ? 'open' : 'ranOut'
}

/** Whole minutes until then, never below zero. */
export const minutesLeft = (until: string, now = new Date()) => Math.max(0, Math.ceil((new Date(until).getTime() - now.getTime()) / 60_000))

export const lengths = [15, 30, 60, 120, 240, 480] as const

/** What staff will see and do in an account, in sentences. */
export function sees(writes: boolean): { yes: string[]; no: string[] } {
  return {
    yes: writes ? [t('what an admin of the account sees: people, teams, budgets, keys, models, usage, audit log'), t('and can change it, but for what people set themselves')] : [t('what an auditor of the account sees: people, teams, budgets, keys, models, usage, audit log')],
    no: [t('see stored secrets, provider keys or tokens: nobody does'), t('change sign-in, domains or programs: only people of the account do'), t('call a model: nothing is spent')],
  }
}
