import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { t } from '@/lib/i18n'

const theme = EditorView.theme({
  '&': { fontSize: '13px', backgroundColor: 'transparent', color: 'var(--color-fg)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'ui-monospace, SFMono-Regular, Menlo, monospace', lineHeight: '1.6', minHeight: '18rem', maxHeight: '60vh', overflow: 'auto' },
  '.cm-content': { padding: '12px 4px', caretColor: 'var(--color-fg)' },
  '.cm-line': { padding: '0 10px' },
  '.cm-cursor': { borderLeftColor: 'var(--color-fg)' },
  '.cm-placeholder': { color: 'var(--color-muted)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection': { backgroundColor: 'var(--color-accent-soft) !important' },
})

type Props = { value: string; onChange: (text: string) => void; disabled?: boolean; id: string; label: string; 'aria-describedby'?: string }

/** The text editor of an agent's instructions. Tab leaves it, as everywhere on the page. */
export default function Instructions({ value, onChange, disabled = false, id, label, ...aria }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const change = useRef(onChange)
  change.current = onChange
  const described = aria['aria-describedby']
  useEffect(() => {
    const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(),
          theme,
          EditorView.lineWrapping,
          EditorView.cspNonce.of(nonce ?? ''),
          EditorState.readOnly.of(disabled),
          EditorView.editable.of(!disabled),
          placeholder(t('You help with … Answer in short sentences. Say so when you are not sure.')),
          EditorView.contentAttributes.of({ id, 'aria-label': label, role: 'textbox', 'aria-multiline': 'true', spellcheck: 'true', ...(described ? { 'aria-describedby': described } : {}) }),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.updateListener.of((u) => u.docChanged && change.current(u.state.doc.toString())),
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
    // The text is handed in below; a new editor is made only for another field.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [id, label, disabled, described])
  useEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])
  return <div ref={host} className="overflow-hidden rounded-md border border-line-strong/60 bg-surface shadow-xs focus-within:border-accent focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent" />
}
