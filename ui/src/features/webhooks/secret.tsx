import type { WebhookPartsFragment } from '@/graphql/generated/graphql'
import { Notice } from '@/kit/notice'
import { Copyable, Once } from '@/kit/once'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = { webhook: WebhookPartsFragment; secret: string; rotated?: boolean; onDone: () => void }

/** A webhook's secret, in the one moment in which it can be seen. */
export function Secret({ webhook: w, secret, rotated, onDone }: Props) {
  return (
    <Once
      title={rotated ? t('{{name}} has a new secret', { name: w.name }) : t('{{name}} is ready', { name: w.name })}
      description={t('Your endpoint proves with it that an event comes from here. Copy it now: it can never be shown again.')}
      acknowledge={t('I have stored the secret in a safe place')}
      onDone={onDone}
    >
      <Copyable text={secret} label={t('Copy secret')} testId="secret" />
      {rotated && w.previousSecretExpiresAt && <Notice className="mt-4">{t('Until {{when}} events are signed by the secret before as well.', { when: dateTime(w.previousSecretExpiresAt) })}</Notice>}
    </Once>
  )
}
