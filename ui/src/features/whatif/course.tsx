import { cx } from '@/kit/cx'
import { t } from '@/lib/i18n'
import { type Answer, answerSentence, rangeSentence } from './sentence'

const width = 320
const height = 120

/** Two courses from today to the end: as it is, and as it would be. The sentence says the same. */
export function Course({ answer }: { answer: Answer }) {
  const limit = answer.limit === null || answer.limit === undefined ? undefined : Number(answer.limit)
  const [now, changed] = [answer.now.series.map(Number), answer.changed.series.map(Number)]
  const [low, high] = [answer.changed.seriesLow.map(Number), answer.changed.seriesHigh.map(Number)]
  const top = Math.max(...now, ...changed, ...high, limit ?? 0, 1e-9) * 1.06
  const y = (v: number) => height - (v / top) * (height - 4) - 2
  const points = (values: number[]) => values.map((v, i) => `${((i / Math.max(values.length - 1, 1)) * width).toFixed(1)} ${y(v).toFixed(1)}`)
  const path = (values: number[]) => `M${points(values).join('L')}`
  const same = answer.now.forecast === answer.changed.forecast
  return (
    <figure className="min-w-0">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${answerSentence(answer)} ${rangeSentence(answer)}`} className="h-32 w-full">
        <path d={`${path(high)}L${points(low).toReversed().join('L')}Z`} className="fill-accent/15" />
        <path d={path(now)} vectorEffect="non-scaling-stroke" strokeWidth={1.5} strokeDasharray="4 4" className="fill-none stroke-muted" />
        {!same && <path d={path(changed)} vectorEffect="non-scaling-stroke" strokeWidth={2} className="fill-none stroke-accent" />}
        {limit !== undefined && <line x1={0} x2={width} y1={y(limit)} y2={y(limit)} vectorEffect="non-scaling-stroke" strokeDasharray="2 3" className="stroke-bad" />}
      </svg>
      <figcaption aria-hidden className="mt-1 flex flex-wrap gap-x-4 text-xs text-muted">
        <Key line="bg-muted">{t('As it is')}</Key>
        <Key line="bg-accent">{t('As it would be')}</Key>
        <Key line="h-2 bg-accent/25">{t('Range')}</Key>
        {limit !== undefined && <Key line="bg-bad">{t('Limit')}</Key>}
      </figcaption>
    </figure>
  )
}

function Key({ line, children }: { line: string; children: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className={cx('inline-block h-0.5 w-3 rounded-full', line)} /> {children}
    </span>
  )
}
