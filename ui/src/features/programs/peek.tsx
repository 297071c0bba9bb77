import type { ProgramPartsFragment } from '@/graphql/generated/graphql'
import { Badge } from '@/kit/badge'
import { Sheet } from '@/kit/dialog'
import { Facts, Id } from '@/kit/facts'
import { Record } from '@/kit/record'
import { ago, dateTime, utc } from '@/lib/format'
import { t } from '@/lib/i18n'
import { nameOf } from '@/lib/plane'
import { ways } from './draft'

/** A program with all that it may, and what its makers need to know. */
export function ProgramPeek({ program: p, onClose }: { program: ProgramPartsFragment; onClose: () => void }) {
  return (
    <Sheet open onClose={onClose} title={p.name} description={p.description} className="max-w-lg">
      <Facts
        facts={[
          [t('State'), <Badge key="s" tone={p.status === 'ACTIVE' ? 'ok' : 'plain'}>{p.status === 'ACTIVE' ? t('Active') : t('Disabled')}</Badge>],
          [t('Acts'), ways(p).join(', ') || '–'],
          [t('Runs'), p.public ? t('In browsers or on phones') : t('On a server')],
          [t('Planes'), p.planes.map(nameOf).join(', ')],
          p.public ? null : [t('Secret'), p.secretAt ? t('…{{hint}}, since {{when}}', { hint: p.secretHint ?? '', when: dateTime(p.secretAt) }) : t('None')],
          p.previousSecretHint && p.previousSecretExpiresAt ? [t('Secret before'), <span key="p" className="text-warn">{t('…{{hint}}, works until {{when}}', { hint: p.previousSecretHint, when: dateTime(p.previousSecretExpiresAt) })}</span>] : null,
          [t('Last used'), p.lastUsedAt ? <time key="l" title={utc(p.lastUsedAt)}>{ago(p.lastUsedAt)}</time> : t('Never')],
          [t('Created'), <time key="c" title={utc(p.createdAt)}>{dateTime(p.createdAt)}</time>],
          [t('Client id'), <Id key="i" id={p.id} />],
        ]}
      />
      <h3 className="mt-6 mb-2 font-semibold">{t('What it may do at most')}</h3>
      <ul className="rounded-md border border-line">
        {p.permissions.map((x) => (
          <li key={x.name} className="border-b border-line px-3 py-2 last:border-b-0">
            {x.about} <code className="font-mono text-xs text-muted">{x.name}</code>
          </li>
        ))}
      </ul>
      {p.redirectUris.length > 0 && (
        <>
          <h3 className="mt-6 mb-2 font-semibold">{t('Sends people back to')}</h3>
          <ul className="space-y-1">
            {p.redirectUris.map((u) => (
              <li key={u} className="font-mono text-xs break-all">
                {u}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3 className="mt-6 mb-2 font-semibold">{t('For its makers')}</h3>
      <Record
        rows={[
          { name: t('Client id'), value: p.id, copy: t('Copy client id') },
          { name: t('Consent'), value: `${location.origin}/oauth/authorize`, copy: t('Copy the address for consent') },
          { name: t('Tokens'), value: `${location.origin}/oauth/token`, copy: t('Copy the address for tokens') },
          { name: t('API'), value: `${location.origin}/graphql`, copy: t('Copy the address of the API') },
        ]}
      />
    </Sheet>
  )
}
