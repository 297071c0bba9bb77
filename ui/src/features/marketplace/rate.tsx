import { Star } from 'lucide-react'
import { useState } from 'react'
import { type ListingPartsFragment, ListingRateDocument } from '@/graphql/generated/graphql'
import { useMutate } from '@/graphql/mutate'
import { Avatar } from '@/kit/avatar'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Dialog, DialogActions } from '@/kit/dialog'
import { Field, Textarea } from '@/kit/field'
import { ErrorBar } from '@/kit/state'
import { toast } from '@/kit/toast'
import { ago, count, utc } from '@/lib/format'
import { t } from '@/lib/i18n'

const five = [1, 2, 3, 4, 5] as const

function Stars({ stars }: { stars: number }) {
  return (
    <span className="inline-flex text-warn-fill">
      {five.map((n) => (
        <Star key={n} aria-hidden className={cx('size-3.5', n <= Math.round(stars) && 'fill-current')} />
      ))}
      <span className="sr-only">{t('{{stars}} of five stars', { stars })}</span>
    </span>
  )
}

/** What people who used it say. */
export function Ratings({ listing: l }: { listing: ListingPartsFragment }) {
  const [rating, setRating] = useState(false)
  const own = l.ratings.find((r) => r.mine)
  const rated = l.rating !== null && l.rating !== undefined
  return (
    <Card>
      <CardHead title={t('Ratings')} note={rated ? t('{{stars}} of five, by {{people}}', { stars: l.rating!.toFixed(1), people: count(l.ratingCount) }) : t('Nobody has rated it yet.')}>
        {l.mayRate && (
          <Button size="sm" onClick={() => setRating(true)}>
            <Star aria-hidden /> {own ? t('Change my rating') : t('Rate it')}
          </Button>
        )}
      </CardHead>
      {!l.mayRate && l.ratings.length === 0 && <p className="px-4 pb-3.5 text-xs text-muted">{t('Who has used it may rate it.')}</p>}
      {l.ratings.length > 0 && (
        <ul className="border-t border-line">
          {l.ratings.map((r) => (
            <li key={r.id} className="flex gap-3 border-b border-line px-4 py-3 last:border-b-0">
              <Avatar name={r.author} />
              <div className="min-w-0">
                <p className="flex flex-wrap items-center gap-x-2 text-sm">
                  <span className="font-medium">{r.mine ? t('{{name}} (you)', { name: r.author }) : r.author}</span>
                  <Stars stars={r.stars} />
                  <span className="text-xs text-muted" title={utc(r.updatedAt)}>
                    {ago(r.updatedAt)}
                  </span>
                </p>
                {r.text && <p className="mt-0.5 text-sm break-words whitespace-pre-line">{r.text}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
      {rating && <Rate listing={l} stars={own?.stars ?? 0} text={own?.text ?? ''} onClose={() => setRating(false)} />}
    </Card>
  )
}

type Props = { listing: ListingPartsFragment; stars: number; text: string; onClose: () => void }

function Rate({ listing: l, onClose, ...own }: Props) {
  const { run, busy, fault } = useMutate(ListingRateDocument)
  const [stars, setStars] = useState(own.stars)
  const [text, setText] = useState(own.text)
  const [error, setError] = useState<string>()
  const submit = async () => {
    if (stars === 0) return setError(t('Choose one to five stars.'))
    const payload = await run({ input: { listingId: l.id, stars, text: text.trim() } })
    if (!payload) return
    if (payload.errors[0]) return setError(payload.errors[0].message)
    toast(t('Thank you'))
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t('Rate {{name}}', { name: l.name })} description={t('The stars count everywhere; your words are read inside your account.')}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(e) => {
          e.preventDefault()
          void submit()
        }}
      >
        <fieldset>
          <legend className="mb-1.5 text-sm font-medium">{t('Stars')}</legend>
          <div className="flex">
            {five.map((n) => (
              <label key={n} className="cursor-pointer rounded-md p-1 text-warn-fill has-focus-visible:outline-2 has-focus-visible:outline-accent">
                <input type="radio" name="stars" value={n} checked={stars === n} onChange={() => setStars(n)} className="sr-only" aria-label={t('{{stars}} of five stars', { stars: n })} />
                <Star aria-hidden className={cx('size-7', n <= stars && 'fill-current')} />
              </label>
            ))}
          </div>
        </fieldset>
        <Field label={t('In your words')} hint={t('What it does well, and what it lacks.')}>
          {(wiring) => <Textarea {...wiring} maxLength={1000} value={text} onChange={(e) => setText(e.target.value)} />}
        </Field>
        {(error || fault) && <ErrorBar fault={fault ?? { code: 'INVALID', message: error! }} />}
        <DialogActions>
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t('Save rating')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
