import { Ban, Bot, Building, CircleCheck, CircleQuestionMark, KeyRound, type LucideIcon, Mail, Server, UserRound, UsersRound, Waypoints } from 'lucide-react'
import type { ScopeKind } from '@/graphql/generated/graphql'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { t } from '@/lib/i18n'
import { kindName } from '@/features/budgets'
import { chain, type Explanation, mailTo } from './explanation'

const icons: Record<ScopeKind, LucideIcon> = { PLATFORM: Waypoints, ACCOUNT: Building, CONSOLE: Server, COPILOT: Bot, ORGANIZATION: Building, TEAM: UsersRound, MEMBER: UserRound, KEY: KeyRound, AGENT: Bot }

type Props = {
  explanation: Explanation
  /** The verdict in a sentence. */
  verdict: string
  /** The question in a sentence, as a mail about it is headed. */
  question: string
}

/** The verdict, the way down the tree that led to it, and who can change it. */
export function Explained({ explanation: e, verdict, question }: Props) {
  const steps = chain(e)
  const Icon = e.allowed ? CircleCheck : Ban
  return (
    <article aria-label={question} className="grid gap-5">
      <div className={cx('flex items-start gap-3.5 rounded-lg px-4 py-3.5', e.allowed ? 'bg-ok-soft' : 'bg-bad-soft')} role="status">
        <Icon aria-hidden className={cx('mt-0.5 size-6 shrink-0', e.allowed ? 'text-ok' : 'text-bad')} />
        <div className="min-w-0">
          <p className="text-lg font-semibold text-balance">{verdict}</p>
          <p className="mt-0.5">{e.reason}</p>
        </div>
      </div>
      <section>
        <h2 className="mb-2 text-sm font-semibold">{t('How that was decided')}</h2>
        <ol className="flex flex-col">
          {steps.map((s, i) => {
            const StepIcon = s.kind ? icons[s.kind] : CircleQuestionMark
            return (
              <li key={`${s.kind}${s.name}`} className="flex gap-3">
                <div aria-hidden className="flex w-7 shrink-0 flex-col items-center">
                  <span className={cx('h-1.5 w-px', i > 0 && 'bg-line-strong/50')} />
                  <span className={cx('flex size-7 shrink-0 items-center justify-center rounded-full border', s.decisive ? (e.allowed ? 'border-ok bg-ok-soft text-ok' : 'border-bad bg-bad-soft text-bad') : 'border-line bg-surface text-muted')}>
                    <StepIcon className="size-3.5" />
                  </span>
                  <span className={cx('w-px grow', i < steps.length - 1 && 'bg-line-strong/50')} />
                </div>
                <div className={cx('my-1 flex min-h-7 min-w-0 grow flex-wrap items-center gap-x-2 gap-y-0.5 rounded-md px-2 py-0.5', s.decisive && (e.allowed ? 'bg-ok-soft/60' : 'bg-bad-soft/60'))}>
                  <span className={cx('min-w-0 break-words', s.decisive || s.finding ? 'font-medium' : 'text-muted')}>{s.name}</span>
                  {s.kind && kindName[s.kind] !== s.name && <span className="text-xs text-muted">{kindName[s.kind]}</span>}
                  {s.finding && <span className="text-muted">{s.finding}</span>}
                  {s.decisive && (
                    <Badge tone={e.allowed ? 'ok' : 'bad'} className="ms-auto">
                      {t('Decides')}
                    </Badge>
                  )}
                </div>
              </li>
            )
          })}
        </ol>
      </section>
      {e.who.length > 0 && (
        <section>
          <h2 className="mb-2 text-sm font-semibold">{t('Who can change it')}</h2>
          <ul className="grid gap-1 sm:grid-cols-2">
            {e.who.map((u) => (
              <li key={u.id}>
                <a href={mailTo(u.email, question, e.reason)} className="group flex min-h-9 items-center gap-2.5 rounded-md border border-line px-2.5 py-1.5 hover:bg-hover">
                  <Avatar name={u.name} />
                  <span className="min-w-0 grow">
                    <span className="block truncate font-medium">{u.name}</span>
                    <span className="block truncate text-xs text-muted">{u.email}</span>
                  </span>
                  <Mail aria-hidden className="size-4 shrink-0 text-muted group-hover:text-fg" />
                  <span className="sr-only">{t('Write to them')}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p className="flex flex-wrap items-center gap-x-4 text-xs text-muted">
        <span>
          {t('Rule')} <code className="font-mono">{e.rule || '–'}</code>
        </span>
        <span className="flex min-w-0 items-center gap-1">
          {t('Policies')} <code className="truncate font-mono">{e.policy}</code>
          <CopyButton compact text={e.policy} label={t('Copy the revision of the policies')} />
        </span>
      </p>
    </article>
  )
}
