import { Eye, EyeOff } from 'lucide-react'
import { type ComponentProps, useState } from 'react'
import { t } from '@/lib/i18n'
import { type Strength, strengthOf } from '@/lib/strength'
import { cx } from './cx'
import { Input } from './field'

/** A password that can be looked at; pasting and password managers work. */
export function PasswordInput({ className, ...props }: ComponentProps<'input'>) {
  const [shown, setShown] = useState(false)
  return (
    <div className="relative">
      <Input {...props} type={shown ? 'text' : 'password'} spellCheck={false} autoCapitalize="none" className={cx('pe-9', className)} />
      <button
        type="button"
        aria-label={shown ? t('Hide password') : t('Show password')}
        onClick={() => setShown(!shown)}
        className="absolute end-1 top-1 flex size-7 items-center justify-center rounded-sm text-muted hover:text-fg [&_svg]:size-4"
      >
        {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
      </button>
    </div>
  )
}

const looks: Record<Strength['level'], { bars: number; fill: string; text: string }> = {
  0: { bars: 1, fill: 'bg-bad', text: 'text-bad' },
  1: { bars: 2, fill: 'bg-warn-fill', text: 'text-warn' },
  2: { bars: 3, fill: 'bg-ok', text: 'text-ok' },
  3: { bars: 4, fill: 'bg-ok', text: 'text-ok' },
}

/** How good a new password is, in words and four bars. */
export function StrengthHint({ password, about }: { password: string; about?: readonly string[] }) {
  if (!password) return <>{t('At least 12 characters. Four words that have nothing to do with each other do well.')}</>
  const { level, hint } = strengthOf(password, about)
  const { bars, fill, text } = looks[level]
  return (
    <span className="flex items-center gap-2.5">
      <span aria-hidden className="flex w-20 shrink-0 gap-0.5">
        {[1, 2, 3, 4].map((n) => (
          <span key={n} className={cx('h-1 grow rounded-full', n <= bars ? fill : 'bg-track')} />
        ))}
      </span>
      <span aria-live="polite" className={text}>
        {hint}
      </span>
    </span>
  )
}
