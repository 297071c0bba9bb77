import { Coins } from 'lucide-react'
import { useState } from 'react'
import { may } from '@/graphql/viewer'
import { Button } from '@/kit/button'
import { Card } from '@/kit/card'
import { Empty } from '@/kit/state'
import { t } from '@/lib/i18n'
import { AccountZone, named, Pool } from '@/features/budgets'
import type { AccountOf } from './account'
import { Grant } from './grant'

/** The account's Copilot pool: its first credits, and all that can be done with it from then on. */
export function Credits({ account: a }: { account: AccountOf }) {
  const [granting, setGranting] = useState(false)
  const { root } = a
  const grants = mayGrant(a)
  const grant = grants && (
    <Button size="sm" variant="primary" onClick={() => setGranting(true)}>
      {t('Grant credits')}
    </Button>
  )
  return (
    <AccountZone value={a.timeZone}>
      {root?.budget ? (
        <Pool root={named(root, a.name)} unit="CREDITS" previous={root.budget.previousSeries} title={t('Copilot pool')} note={a.planes.includes('COPILOT') ? t('Its organizations and teams get their credits from it') : t('Copilot is switched off: nothing is spent of it')}>
          {grant}
        </Pool>
      ) : (
        <Card>
          <Empty icon={<Coins aria-hidden />} title={a.planes.includes('COPILOT') ? t('No credits yet') : t("It doesn't use Copilot")} action={grant}>
            {a.planes.includes('COPILOT') ? t('Every call in Copilot is refused until it has some.') : t('Switch Copilot on in the danger zone, then grant its first credits here.')}
          </Empty>
        </Card>
      )}
      {granting && root && <Grant account={a} root={root} onClose={() => setGranting(false)} />}
    </AccountZone>
  )
}

/** Whether the viewer may give it credits, now. */
export const mayGrant = (a: Pick<AccountOf, 'status' | 'planes'> & { root?: Parameters<typeof may>[0] }) => a.status !== 'CLOSED' && a.planes.includes('COPILOT') && may(a.root, 'budget.set')
