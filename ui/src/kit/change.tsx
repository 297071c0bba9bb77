import { percent } from '@/lib/format'
import { t } from '@/lib/i18n'

/** How much more or less than in the time before; nothing to compare with is said so. */
export function Change({ now, before }: { now: string; before: string | undefined }) {
  const [a, b] = [Number(now), Number(before ?? 0)]
  if (a === b) return <span className="text-xs text-muted">{t('unchanged')}</span>
  if (b === 0) return <span className="text-xs text-muted">{t('new')}</span>
  const share = ((a - b) / Math.abs(b)) * 100
  return <span className="num text-xs text-muted">{`${share > 0 ? '+' : '−'}${percent(Math.abs(share))}`}</span>
}
