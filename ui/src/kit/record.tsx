import { CopyButton } from './copy'

/** Values to be carried elsewhere, each with a button that copies it. */
export function Record({ rows }: { rows: readonly { name: string; value: string; copy: string }[] }) {
  return (
    <dl className="rounded-md border border-line bg-bg">
      {rows.map((r) => (
        <div key={r.name} className="flex items-center gap-3 border-b border-line py-1.5 ps-3 pe-1.5 last:border-b-0">
          <dt className="w-16 shrink-0 text-xs text-muted">{r.name}</dt>
          <dd className="flex min-w-0 grow items-center justify-between gap-2">
            <span className="min-w-0 font-mono text-xs break-all">{r.value}</span>
            <CopyButton compact text={r.value} label={r.copy} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
