import { useMemo } from 'react'
import { ScopeAdminsDocument } from '@/graphql/generated/graphql'
import { useRead } from '@/graphql/query'
import { t } from '@/lib/i18n'
import { adminsByScope } from './scope'

/** Admins of a plane's nodes, by node. */
export function useAdmins(planeId: string | undefined) {
  const { data } = useRead(ScopeAdminsDocument, { scopeId: planeId ?? '' }, !planeId)
  return useMemo(() => adminsByScope((data?.access?.roleBindings.edges ?? []).map((e) => e.node)), [data])
}

export function Admins({ names }: { names?: readonly string[] }) {
  if (!names?.length) return <span className="text-muted">{t('Those above')}</span>
  const [first, second, ...others] = names
  return (
    <span title={names.join(', ')} className="block max-w-56 truncate">
      {[first, second].filter(Boolean).join(', ')}
      {others.length > 0 && <span className="text-muted">{t(' and {{n}} more', { n: others.length })}</span>}
    </span>
  )
}
