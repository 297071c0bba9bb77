import type { ProgramPartsFragment } from '@/graphql/generated/graphql'
import { Notice } from '@/kit/notice'
import { Copyable, Once } from '@/kit/once'
import { Record } from '@/kit/record'
import { dateTime } from '@/lib/format'
import { t } from '@/lib/i18n'

type Props = { program: ProgramPartsFragment; secret: string; rotated?: boolean; onDone: () => void }

/** A program's secret, in the one moment in which it can be seen. */
export function Secret({ program: p, secret, rotated, onDone }: Props) {
  return (
    <Once
      title={rotated ? t('{{name}} has a new secret', { name: p.name }) : t('{{name}} is ready', { name: p.name })}
      description={t('This is its secret. Copy it now: it is stored hashed and can never be shown again.')}
      acknowledge={t('I have stored the secret in a safe place')}
      onDone={onDone}
    >
      <Copyable text={secret} label={t('Copy secret')} testId="secret" />
      <div className="mt-4">
        <Record
          rows={[
            { name: t('Client id'), value: p.id, copy: t('Copy client id') },
            { name: t('Tokens'), value: `${location.origin}/oauth/token`, copy: t('Copy the address for tokens') },
          ]}
        />
      </div>
      {rotated && p.previousSecretExpiresAt && (
        <Notice className="mt-4">{t('The one before works until {{when}}: put the new one in until then.', { when: dateTime(p.previousSecretExpiresAt) })}</Notice>
      )}
    </Once>
  )
}
