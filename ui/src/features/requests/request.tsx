import { Link } from '@tanstack/react-router'
import { Clock, CornerDownRight } from 'lucide-react'
import type { ReactNode } from 'react'
import type { RequestPartsFragment } from '@/graphql/generated/graphql'
import { may, useViewer } from '@/graphql/viewer'
import { Avatar } from '@/kit/avatar'
import { Badge } from '@/kit/badge'
import { cx } from '@/kit/cx'
import { Facts } from '@/kit/facts'
import { ago, dateTime, money, moneyWords, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { ReachFacts } from '@/features/marketplace'
import { Decide } from './decide'
import { Withdraw } from './withdraw'
import { asked, given, placeOf, reasonFor, statusName, statusTone } from './words'

/** One request, with what approving it would do, and the buttons to decide. */
export function RequestCard({ request: r, onDecided, children }: { request: RequestPartsFragment; onDecided?: () => void; children?: ReactNode }) {
  return (
    <li className="grid gap-x-6 gap-y-3 border-b border-line px-4 py-4 last:border-b-0 lg:grid-cols-[minmax(0,1fr)_19rem]">
      <div className="flex min-w-0 flex-col gap-2">
        <div className="flex min-w-0 items-start gap-3">
          <Avatar name={r.requesterName} />
          <div className="min-w-0 grow">
            <p>
              {r.account ? (
                <Link to="/sa/accounts/$id" params={{ id: r.account.id }} className="rounded-sm font-semibold hover:underline">
                  {r.account.name}
                </Link>
              ) : (
                <span className="font-semibold">{r.requesterName}</span>
              )}{' '}
              <span className="text-muted">{t('asks for')}</span> <span className="num font-semibold">{asked(r)}</span>
            </p>
            <p className="truncate text-xs text-muted">
              {r.account ? t('for its Copilot') : placeOf(r)} · <span title={utc(r.createdAt)}>{ago(r.createdAt)}</span>
            </p>
          </div>
          {r.status !== 'PENDING' && <Badge tone={statusTone[r.status]}>{statusName[r.status]}</Badge>}
        </div>
        <blockquote className="border-s-2 border-line-strong ps-3 break-words whitespace-pre-line">{r.reason}</blockquote>
        <Passed request={r} />
        {r.assigneeName && r.status === 'PENDING' && <p className="text-xs text-muted">{t('Handed to {{name}}.', { name: r.assigneeName })}</p>}
        <Outcome request={r} />
        {r.status === 'PENDING' && (may(r, 'request.decide') ? <Decide request={r} onDecided={onDecided} /> : <p className="text-xs text-muted">{[!r.atPlatform && t('Waits for the admins of {{place}}.', { place: r.waitsAt }), reasonFor(r, 'request.decide')].filter(Boolean).join(' ')}</p>)}
        <Withdraw request={r} />
      </div>
      {r.impact && <Impact request={r}>{children}</Impact>}
      {r.accessImpact && <Reach request={r} />}
      {r.toolImpact && <Tools request={r} />}
      {r.publishImpact && <Published request={r} />}
    </li>
  )
}

export function Passed({ request: r }: { request: RequestPartsFragment }) {
  return r.passed.map((p) => (
    <p key={p.at} className="flex items-baseline gap-1.5 text-xs text-muted">
      <CornerDownRight aria-hidden className="size-3 shrink-0" />
      <span title={utc(p.at)}>
        {t('{{name}} passed it up {{when}}', { name: p.name, when: ago(p.at) })}
        {p.note && `: “${p.note}”`}
      </span>
    </p>
  ))
}

/** What was decided, by whom, and what they said. */
export function Outcome({ request: r }: { request: RequestPartsFragment }) {
  if (r.status === 'PENDING' || !r.decidedAt) return null
  return (
    <p className="text-sm">
      {r.status === 'APPROVED' && <span className="num font-medium">{given(r)}. </span>}
      <span className="text-muted" title={utc(r.decidedAt)}>
        {r.byRule ? t('Given by a rule, {{when}}', { when: ago(r.decidedAt) }) : r.deciderName ? t('{{name}}, {{when}}', { name: r.deciderName, when: ago(r.decidedAt) }) : ago(r.decidedAt)}
      </span>
      {r.note && <span className="block break-words">“{r.note}”</span>}
    </p>
  )
}

/** The budget now and afterwards; the bar is what the budget above has left. */
function Impact({ request: r, children }: { request: RequestPartsFragment; children?: ReactNode }) {
  const i = r.impact!
  const { unit } = r
  const parent = i.parentName && i.parentLeft && i.parentLeftAfter && i.parentLimit
  const left = parent ? Math.max(0, Number(i.parentLeft)) : 0
  const share = left > 0 ? Math.min(100, (Number(r.amount) / left) * 100) : 100
  // Staff see the pool alone, which is the very budget.
  const more = r.account ? [] : i.raises.filter((raise) => raise.scopeName !== i.scopeName)
  return (
    <div className="flex flex-col gap-2 self-start rounded-md border border-line bg-bg px-3 py-2.5 text-sm">
      <p className="num flex items-baseline justify-between gap-2">
        <span className="truncate text-muted">{r.account ? t('Credits a cycle') : t('Budget of {{name}}', { name: i.scopeName })}</span>
        <span className="shrink-0">
          {money(i.limit, unit)} <span className="text-muted">→</span> <span className="font-semibold">{money(i.limitAfter, unit)}</span>
        </span>
      </p>
      {parent && (
        <>
          <div role="img" aria-label={t('{{parent}} has {{left}} left to give; this takes {{amount}}.', { parent: i.parentName!, left: moneyWords(i.parentLeft!, unit), amount: moneyWords(r.amount, unit) })} className="h-2 overflow-hidden rounded-full bg-track">
            <div className={cx('h-full rounded-full', i.fits && more.length === 0 && Number(i.parentLeftAfter) >= 0 ? 'bg-accent' : 'bg-warn-fill')} style={{ width: `${share}%` }} />
          </div>
          <p className="num text-xs text-muted">
            {t('{{parent}} has {{left}} left to give', { parent: i.parentName!, left: moneyWords(i.parentLeft!, unit) })}
            {Number(i.parentLeftAfter) >= 0 && t(', {{left}} afterwards', { left: moneyWords(i.parentLeftAfter!, unit) })}.
          </p>
          {i.fits && more.length === 0 && Number(i.parentLeftAfter) < 0 && <p className="num text-xs font-medium text-warn">{t('Overcommits {{parent}} by {{amount}}.', { parent: i.parentName!, amount: moneyWords(i.parentLeftAfter!.replace('-', ''), unit) })}</p>}
        </>
      )}
      {more.map((raise) => (
        <p key={raise.scopeId} className="num text-xs text-warn">
          {t('Also raises {{name}}: {{before}} → {{after}}', { name: raise.scopeName, before: money(raise.before, unit), after: money(raise.after, unit) })}
        </p>
      ))}
      {!i.fits && <p className="text-xs font-medium text-warn">{Number(i.available) > 0 ? t('More than you can give: up to {{amount}}. Pass it up for the rest.', { amount: moneyWords(i.available, unit) }) : t("You can't give any of it. Pass it up to those who can.")}</p>}
      {children}
      <p className="flex items-center gap-1.5 text-xs text-muted" title={utc(r.expiresAt)}>
        <Clock aria-hidden className="size-3" /> {t('Expires {{when}}', { when: dateTime(r.expiresAt) })}
      </p>
    </div>
  )
}

/** What publishing would reach; the listing's page has all of it. */
function Published({ request: r }: { request: RequestPartsFragment }) {
  const { account } = useViewer()
  return (
    <div className="flex flex-col gap-2 self-start rounded-md border border-line bg-bg px-3 py-2.5 text-sm">
      <ReachFacts review={r.publishImpact!} />
      <Link to="/a/$account/$plane/marketplace/$listing" params={{ account: account.slug, plane: 'copilot', listing: r.resource!.id }} className="text-sm font-medium text-accent-text hover:underline">
        {t('Look at the listing')}
      </Link>
      <p className="flex items-center gap-1.5 text-xs text-muted" title={utc(r.expiresAt)}>
        <Clock aria-hidden className="size-3" /> {t('Expires {{when}}', { when: dateTime(r.expiresAt) })}
      </p>
    </div>
  )
}

const classes: Record<string, string> = { FAST: t('fast: the least expensive'), BALANCED: t('balanced'), SMART: t('smart: expensive'), THINKING: t('thinking: the most expensive') }

/** Whom access would reach, what it may cost, and where data goes. */
function Reach({ request: r }: { request: RequestPartsFragment }) {
  const i = r.accessImpact!
  return (
    <div className="flex flex-col gap-2 self-start rounded-md border border-line bg-bg px-3 py-2.5 text-sm">
      <Facts
        className="grid-cols-[5.5rem_1fr]"
        facts={[
          [t('Reaches'), i.people === 1 ? t('one person') : t('{{count}} people', { count: i.people })],
          Boolean(i.priceClass) && [t('Class'), classes[i.priceClass!] ?? i.priceClass],
          r.resource?.kind === 'MODEL' && [t('Cost'), i.averageCost ? t('{{amount}} in 30 days, on average of {{count}} seats', { amount: moneyWords(i.averageCost, r.unit), count: i.seatsMeasured }) : t('Nobody has used it in 30 days.')],
          Boolean(i.connectionKind) && [t('Data goes to'), i.host ?? i.connectionKind],
          i.tools > 0 && [t('Tools'), i.writingTools === 0 ? t('{{count}}, all of them only read', { count: i.tools }) : t('{{count}}, of which {{writing}} may change something', { count: i.tools, writing: i.writingTools })],
        ]}
      />
      {!i.holds && <p className="text-xs font-medium text-warn">{t("You don't have it to give. Pass it up to those who do.")}</p>}
      <p className="flex items-center gap-1.5 text-xs text-muted" title={utc(r.expiresAt)}>
        <Clock aria-hidden className="size-3" /> {t('Expires {{when}}', { when: dateTime(r.expiresAt) })}
      </p>
    </div>
  )
}

const parts: Record<string, string> = { title: t('title'), description: t('description'), input: t('arguments'), output: t('answer'), hints: t('what it says it may do'), request: t('what it calls') }

/** Which tools wait as they are offered now, who uses them, and where data goes. */
function Tools({ request: r }: { request: RequestPartsFragment }) {
  const i = r.toolImpact!
  return (
    <div className="flex min-w-0 flex-col gap-2 self-start rounded-md border border-line bg-bg px-3 py-2.5 text-sm">
      <ul aria-label={t('Tools that wait')} className="flex max-h-64 flex-col gap-2 overflow-y-auto">
        {i.tools.map((tool) => (
          <li key={tool.id} className="min-w-0">
            <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <code className="min-w-0 font-mono text-xs font-semibold break-all">{tool.name}</code>
              <Badge tone={tool.new ? 'info' : 'warn'}>{tool.new ? t('New') : t('Changed')}</Badge>
              {tool.writes && <Badge>{t('may change something')}</Badge>}
            </p>
            {tool.description && <p className="line-clamp-2 text-xs break-words text-muted">{tool.description}</p>}
            {tool.changes.length > 0 && <p className="text-xs font-medium text-warn">{t('Differs in: {{parts}}', { parts: tool.changes.map((part) => parts[part] ?? part).join(', ') })}</p>}
            {Number(tool.price) > 0 && <p className="num text-xs text-muted">{t('{{amount}} a call', { amount: moneyWords(tool.price, 'USD') })}</p>}
          </li>
        ))}
      </ul>
      <Facts
        className="grid-cols-[5.5rem_1fr]"
        facts={[
          [t('Used by'), [i.people === 1 ? t('one person') : t('{{count}} people', { count: i.people }), i.agents === 1 ? t('one agent') : t('{{count}} agents', { count: i.agents })].join(', ')],
          Boolean(i.host) && [t('Data goes to'), i.host],
        ]}
      />
      <p className="text-xs text-muted">{t('Approving lets all of them be called as shown. Declining turns them down.')}</p>
      <p className="flex items-center gap-1.5 text-xs text-muted" title={utc(r.expiresAt)}>
        <Clock aria-hidden className="size-3" /> {t('Expires {{when}}', { when: dateTime(r.expiresAt) })}
      </p>
    </div>
  )
}
