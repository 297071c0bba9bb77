import { Facts } from '@/kit/facts'
import { t } from '@/lib/i18n'

type Waiting = { number: number; submittedBy: string; models: readonly string[]; tools: readonly string[]; host: string; scopes: number; people: number }

/** What publishing reaches, in names and numbers. */
export function ReachFacts({ review: w }: { review: Waiting }) {
  return (
    <Facts
      className="grid-cols-[7rem_1fr]"
      facts={[
        [t('Version'), String(w.number)],
        Boolean(w.submittedBy) && [t('Handed in by'), w.submittedBy],
        w.people > 0 && [t('Seen by'), t('{{count}} people', { count: w.people })],
        w.scopes > 0 && [t('To install at'), t('{{count}} organizations and teams', { count: w.scopes })],
        w.models.length > 0 && [t('Calls'), w.models.join(', ')],
        w.tools.length > 0 && [t('Tools'), w.tools.join(', ')],
        Boolean(w.host) && [t('Data goes to'), w.host],
      ]}
    />
  )
}
