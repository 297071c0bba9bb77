import type { TokenClass } from '@/graphql/generated/graphql'
import { Head, rowClass, Table, Td, Th } from '@/kit/table'
import { count, exact, money, type Unit } from '@/lib/format'
import { t } from '@/lib/i18n'

export const classNames: Record<TokenClass, string> = {
  INPUT: t('Input'),
  CACHED_INPUT: t('Cached input'),
  CACHE_WRITE: t('Cache writes'),
  OUTPUT: t('Output'),
  REASONING: t('Reasoning'),
  AUDIO_INPUT: t('Sound in'),
  AUDIO_OUTPUT: t('Sound out'),
  OTHER: t('Other'),
}

type Row = { class: TokenClass; tokens: number; amount: string; price?: string | null }

/** What each class of tokens came to; on a receipt with its price. */
export function Classes({ rows, unit, priced }: { rows: readonly Row[]; unit: Unit; priced?: boolean }) {
  return (
    <Table label={t('By class of tokens')}>
      <Head>
        <Th>{t('Tokens')}</Th>
        <Th className="text-end">{t('Count')}</Th>
        {priced && <Th className="text-end">{t('Per million')}</Th>}
        <Th className="text-end">{unit === 'USD' ? t('Cost') : t('Credits')}</Th>
      </Head>
      <tbody>
        {rows.map((r) => (
          <tr key={r.class} className={rowClass} title={r.class === 'OTHER' ? t('Prices per call, ceilings, calls charged at their hold, and rounding') : undefined}>
            <Td>{classNames[r.class]}</Td>
            <Td className="num text-end text-muted">{r.class === 'OTHER' ? '–' : count(r.tokens)}</Td>
            {priced && <Td className="num text-end text-muted">{r.price ? exact(r.price, unit) : '–'}</Td>}
            <Td className="num text-end">{priced ? exact(r.amount, unit) : money(r.amount, unit)}</Td>
          </tr>
        ))}
      </tbody>
    </Table>
  )
}
