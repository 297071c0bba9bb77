import type { ReceiptQuery } from '@/graphql/generated/graphql'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { dayIn, exact, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'
import { kindName } from '@/features/budgets'
import { useZone } from './params'

type Charge = Extract<NonNullable<ReceiptQuery['node']>, { budgets: unknown }>
type Props = { budgets: Charge['budgets']; overflow: Charge['overflow']; unit: Unit }

/** What each budget on the path of a call held and paid, the pool first. */
export function Payers({ budgets, overflow, unit }: Props) {
  const zone = useZone()
  const beyond = (id: string | undefined) => overflow.find((o) => o.budgetId === id)?.amount
  return (
    <Table label={t('Paid by these budgets')}>
      <Head>
        <Th className="ps-0">{t('Budget')}</Th>
        <Th className="text-end">{t('Held')}</Th>
        <Th className="pe-0 text-end">{t('Charged')}</Th>
      </Head>
      <tbody>
        {budgets.map((b) => {
          const over = beyond(b.budget?.id)
          return (
            <tr key={`${b.scopeKind} ${b.scopeName}`} className={rowClass}>
              <Td className="ps-0">
                <span className="block font-medium break-words">{b.scopeName}</span>
                <span className="block text-xs text-muted">{t('{{kind}}, cycle since {{day}}', { kind: kindName[b.scopeKind], day: dayIn(b.cycleStartsAt, zone) })}</span>
              </Td>
              <Td className="num text-end align-top text-muted">{exact(b.held, unit)}</Td>
              <Td className="num pe-0 text-end align-top">
                {exact(b.amount, unit)}
                {over && <span className="block text-xs text-warn">{t('{{amount}} in the overflow', { amount: exact(over, unit) })}</span>}
              </Td>
            </tr>
          )
        })}
      </tbody>
    </Table>
  )
}
