import { Blocks, ChevronRight, Headset, KeyRound, UserRoundSearch } from 'lucide-react'
import type { AuditOutcome, AuditPartsFragment, ViaKind } from '@/graphql/generated/graphql'
import { Badge, type Tone } from '@/kit/badge'
import { Button } from '@/kit/button'
import { CopyButton } from '@/kit/copy'
import { cx } from '@/kit/cx'
import { clock, day, type Unit, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { unitOf } from '@/lib/plane'
import { type Counted, fieldName, sentence, value } from './sentence'

const tones: Record<AuditOutcome, Tone> = { DONE: 'plain', REFUSED: 'bad', FAILED: 'warn' }

type Props = {
  event: AuditPartsFragment
  unit: Unit | null
  newDay: boolean
  open: boolean
  onToggle: () => void
  onActor: (actorId: string) => void
}

export function Event({ event: e, unit: shared, newDay, open, onToggle, onActor }: Props) {
  // Where both products meet, each event says by its own what its amounts are counted in.
  const unit: Counted = shared ?? (e.plane === 'COPILOT' ? 'NAMED_CREDITS' : e.plane ? unitOf(e.plane) : null)
  const said = sentence(e, unit)
  return (
    <li className="border-b border-line last:border-b-0">
      {newDay && <p className="border-b border-line bg-bg px-4 py-1 text-xs font-medium text-muted">{day(e.at)}</p>}
      <button type="button" data-row-link aria-expanded={open} onClick={onToggle} className="flex min-h-11 w-full items-start gap-3 px-4 py-2.5 text-start hover:bg-hover/60 focus-visible:-outline-offset-2">
        <ChevronRight aria-hidden className={cx('mt-0.5 size-4 shrink-0 text-muted transition-transform max-sm:hidden', open && 'rotate-90')} />
        <time dateTime={e.at} title={utc(e.at)} className="num shrink-0 text-muted">
          {clock(e.at)}
        </time>
        <span className="min-w-0 grow break-words">
          <span className="font-medium">{e.actorName}</span> <span className="text-muted">{said.verb}</span> {said.target && <span className="font-medium">{said.target}</span>}{' '}
          {said.detail && <span className="num text-muted">{said.detail}</span>} <Via event={e} />
          {e.reason && !open && <span className="block truncate text-xs text-bad">{e.reason}</span>}
          {e.count > 1 && <span className="text-xs text-muted"> {t('({{count}} times in a minute)', { count: e.count })}</span>}
        </span>
        <Badge tone={tones[e.outcome]} className="font-mono max-sm:hidden">
          {e.action}
        </Badge>
      </button>
      {open && <Detail event={e} unit={unit} onActor={onActor} />}
    </li>
  )
}

const viaIcon: Record<Exclude<ViaKind, 'NONE'>, typeof Blocks> = { CLIENT: Blocks, TOKEN: KeyRound, SUPPORT: Headset }

/** What somebody acted through: a program, a token, or, in red, the platform's support. */
function Via({ event: e }: { event: AuditPartsFragment }) {
  if (e.viaKind === 'NONE') return null
  const Icon = viaIcon[e.viaKind]
  const text = { CLIENT: t('via {{name}}', { name: e.viaName }), TOKEN: t('via token {{name}}', { name: e.viaName }), SUPPORT: t('Support access') }[e.viaKind]
  return (
    <Badge tone={e.viaKind === 'SUPPORT' ? 'bad' : 'info'} className="ms-1 max-w-full align-middle [&_svg]:size-3.5 [&_svg]:shrink-0">
      <Icon aria-hidden /> <span className="truncate">{text}</span>
    </Badge>
  )
}

function Detail({ event: e, unit, onActor }: { event: AuditPartsFragment; unit: Counted; onActor: (actorId: string) => void }) {
  return (
    <div className="grid gap-3 border-t border-line bg-bg px-4 py-3 sm:ps-11">
      {e.reason && <p className="text-bad">{e.reason}</p>}
      {e.changes.length > 0 && (
        <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1">
          {e.changes.map((c) => (
            <div key={c.field} className="contents">
              <dt className="text-muted">{fieldName(c.field)}</dt>
              <dd className="min-w-0 break-words">
                {c.before !== null && c.before !== undefined && (
                  <>
                    <del className="rounded-sm bg-bad-soft px-1 text-bad">{value(c, c.before, unit)}</del> <span aria-hidden>→</span>{' '}
                  </>
                )}
                <ins className="rounded-sm bg-ok-soft px-1 text-ok no-underline">{value(c, c.after, unit)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
      <dl className="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs text-muted [&_dd]:flex [&_dd]:min-w-0 [&_dd]:items-center [&_dd]:gap-1 [&_div]:flex [&_div]:min-w-0 [&_div]:items-center [&_div]:gap-1.5">
        <div>
          <dt className="sr-only">{t('When')}</dt>
          <dd>{utc(e.at)}</dd>
        </div>
        {e.location && (
          <div>
            <dt>{t('Where')}</dt>
            <dd className="text-fg">{e.location}</dd>
          </div>
        )}
        {e.viaKind !== 'NONE' && (
          <div>
            <dt>{t('Through')}</dt>
            <dd>
              <span className={e.viaKind === 'SUPPORT' ? 'text-bad' : 'text-fg'}>{e.viaName}</span>
            </dd>
          </div>
        )}
        <div>
          <dt>{t('No.')}</dt>
          <dd className="num">{e.seq}</dd>
        </div>
        {e.requestId && <CopyId name={t('Request')} id={e.requestId} label={t('Copy request id')} />}
        {e.decisionId && <CopyId name={t('Decision')} id={e.decisionId} label={t('Copy decision id')} />}
        {e.targetId && <CopyId name={t('Target')} id={e.targetId} label={t('Copy target id')} />}
      </dl>
      {e.actorId && (
        <p>
          <Button size="sm" onClick={() => onActor(e.actorId)}>
            <UserRoundSearch aria-hidden /> {t('Only what {{name}} did', { name: e.actorName })}
          </Button>
        </p>
      )}
    </div>
  )
}

function CopyId({ name, id, label }: { name: string; id: string; label: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code className="truncate font-mono">{id}</code>
        <CopyButton compact text={id} label={label} />
      </dd>
    </div>
  )
}
