import type { LinkPartsFragment, MailState } from '@/graphql/generated/graphql'
import { CopyButton } from '@/kit/copy'
import { Notice } from '@/kit/notice'
import { Once } from '@/kit/once'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'

export const mailWords: Record<MailState, string> = {
  NONE: t('No mail is sent: hand over the link'),
  QUEUED: t('Mail on its way'),
  SENT: t('Mail sent'),
  FAILED: t("The mail didn't go out: hand over the link"),
}

/** Links of invitations, in the one moment in which they can be seen. */
export function Links({ links, onDone }: { links: readonly LinkPartsFragment[]; onDone: () => void }) {
  const byHand = links.some((l) => l.invitation.mail === 'NONE' || l.invitation.mail === 'FAILED')
  const first = links[0]
  return (
    <Once
      title={links.length === 1 && first ? t('{{email}} is invited', { email: first.invitation.email }) : t('{{count}} people are invited', { count: links.length })}
      description={t('A link works once, until {{when}}, for whoever has it. It is shown only now.', { when: first ? dateTime(first.invitation.expiresAt) : '' })}
      acknowledge={byHand ? t('I have copied what I hand over') : t('I need the links no more')}
      onDone={onDone}
    >
      {byHand && (
        <Notice tone="warn" className="mb-3">
          {t('Not everybody gets a mail. Copy the links and hand them over on a safe way.')}
        </Notice>
      )}
      <ul className="rounded-lg border border-line">
        {links.map(({ link, invitation: i }) => (
          <li key={i.id} className="flex items-center gap-3 border-b border-line px-3 py-2 last:border-b-0">
            <span className="min-w-0 grow">
              <span className="block truncate font-medium">{i.email}</span>
              <code data-testid="invitation-link" className="block truncate font-mono text-xs text-muted">
                {link}
              </code>
              <span className={i.mail === 'FAILED' ? 'block text-xs text-bad' : 'block text-xs text-muted'} title={i.mailError || undefined}>
                {mailWords[i.mail]}
              </span>
            </span>
            <CopyButton text={link} label={t('Copy link')} />
          </li>
        ))}
      </ul>
      {links.length > 1 && (
        <div className="mt-3">
          <CopyButton text={links.map((l) => `${l.invitation.email}\t${l.link}`).join('\n')} label={t('Copy all, one a line')} />
        </div>
      )}
    </Once>
  )
}
