import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { AgentPartsFragment } from '@/graphql/generated/graphql'
import { Card, CardHead } from '@/kit/card'
import { t } from '@/lib/i18n'
import { fieldNames } from './words'

type Problem = NonNullable<AgentPartsFragment['validation']>[number]

/** What stands in the way of publishing the saved draft, each with its way out. */
export function Problems({ problems, stale, fix }: { problems: readonly Problem[]; stale: boolean; /** What puts a problem right at once, by its code. */ fix?: (code: string) => ReactNode }) {
  const blocking = problems.filter((p) => p.blocking).length
  return (
    <Card>
      <CardHead
        title={blocking > 0 ? t('{{count}} to fix before publishing', { count: blocking }) : t('Ready to publish')}
        note={stale ? t('As last saved; save to check again.') : problems.length > blocking ? t('Warnings hold nothing back.') : undefined}
      />
      <ul className="border-t border-line">
        {problems.length === 0 && (
          <li className="flex items-center gap-2.5 px-4 py-3 text-muted">
            <CircleCheck aria-hidden className="size-4 text-ok" /> {t('Everybody it is for can use its model and tools.')}
          </li>
        )}
        {problems.map((p) => (
          <li key={p.code + p.field + p.message} className="flex gap-2.5 border-b border-line px-4 py-2.5 last:border-b-0">
            {p.blocking ? <CircleAlert aria-label={t('Blocking')} className="mt-0.5 size-4 shrink-0 text-bad" /> : <TriangleAlert aria-label={t('Warning')} className="mt-0.5 size-4 shrink-0 text-warn" />}
            <span className="min-w-0">
              <span className="block">{p.message}</span>
              <span className="block text-xs text-muted">
                {fieldNames[p.field] ?? p.field} · {p.fix}
              </span>
              {fix?.(p.code) && <span className="mt-2 block">{fix(p.code)}</span>}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
