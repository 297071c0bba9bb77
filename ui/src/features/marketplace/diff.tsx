import { t } from '@/lib/i18n'
import { fieldOf, plain } from './words'

type Change = { path: string; before: string; after: string }

/** What differs between two versions, field by field. */
export function Diff({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0) return <p className="text-sm text-muted">{t('Nothing that it brings differs.')}</p>
  return (
    <ul className="flex flex-col gap-3">
      {changes.map((c) => (
        <li key={c.path} className="overflow-hidden rounded-md border border-line">
          <h3 className="border-b border-line bg-bg px-3 py-1.5 text-xs font-semibold">{fieldOf(c.path)}</h3>
          <div className="max-h-72 overflow-auto font-mono text-xs" tabIndex={0} role="group" aria-label={t('Changes of {{field}}', { field: fieldOf(c.path) })}>
            <Side mark="−" word={t('removed: ')} text={plain(c.before)} className="bg-bad-soft" />
            <Side mark="+" word={t('added: ')} text={plain(c.after)} className="bg-ok-soft" />
          </div>
        </li>
      ))}
    </ul>
  )
}

function Side({ mark, word, text, className }: { mark: string; word: string; text: string; className: string }) {
  if (!text) return null
  return (
    <div className={`flex gap-2 px-3 py-1 whitespace-pre-wrap ${className}`}>
      <span aria-hidden className="w-2 shrink-0 text-muted select-none">
        {mark}
      </span>
      <span className="sr-only">{word}</span>
      <span className="min-w-0 break-words">{text.slice(0, 5000)}</span>
    </div>
  )
}
