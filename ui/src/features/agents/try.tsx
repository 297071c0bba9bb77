import { RotateCcw, SendHorizontal, Square } from 'lucide-react'
import { useRef, useState } from 'react'
import { Button } from '@/kit/button'
import { Card, CardHead } from '@/kit/card'
import { cx } from '@/kit/cx'
import { Textarea } from '@/kit/field'
import { money } from '@/lib/format'
import { t } from '@/lib/i18n'
import { type Message, tryDraft } from './stream'

type Props = {
  agentId: string
  name: string
  starters: readonly string[]
  /** Saves what was changed; false when that was refused. */
  save: () => Promise<boolean>
  ready: boolean
}

/** A conversation with the draft, through the same gateway as any other; the reader's own seat pays. */
export function TryPane({ agentId, name, starters, save, ready }: Props) {
  const [messages, setMessages] = useState<Message[]>([])
  const [text, setText] = useState('')
  const [note, setNote] = useState('')
  const [fault, setFault] = useState('')
  const [running, setRunning] = useState(false)
  const stop = useRef<AbortController>(null)
  const ask = async (content: string) => {
    if (!content.trim() || running) return
    setFault('')
    setNote('')
    setRunning(true)
    if (!(await save())) {
      setRunning(false)
      return
    }
    const asked: Message[] = [...messages, { role: 'user', content: content.trim() }]
    setText('')
    setMessages([...asked, { role: 'assistant', content: '' }])
    stop.current = new AbortController()
    try {
      let answer = ''
      const { credits } = await tryDraft(agentId, asked, {
        signal: stop.current.signal,
        onText: (more) => {
          answer += more
          setMessages([...asked, { role: 'assistant', content: answer }])
        },
      })
      setNote(credits ? t('That took {{amount}} of your seat.', { amount: `${money(credits, 'CREDITS')} ${t('credits')}` }) : '')
    } catch (error) {
      if (!stop.current.signal.aborted) {
        setFault(error instanceof Error ? error.message : String(error))
        setMessages((now) => (now.at(-1)?.content === '' ? now.slice(0, -1) : now))
      }
    }
    setRunning(false)
  }
  return (
    <Card>
      <CardHead title={t('Try it')} note={t('Talks to the draft. Your own seat pays.')}>
        {messages.length > 0 && (
          <Button size="sm" variant="ghost" disabled={running} onClick={() => setMessages([])}>
            <RotateCcw aria-hidden /> {t('Start over')}
          </Button>
        )}
      </CardHead>
      <div className="flex max-h-96 flex-col gap-3 overflow-y-auto border-t border-line px-4 py-3" role="log" aria-label={t('Conversation')} tabIndex={0}>
        {messages.length === 0 && (
          <div className="flex flex-col items-start gap-2 text-muted">
            <p>{ready ? t('Ask what people will ask.') : t('Choose a model first, and say what it is for.')}</p>
            {ready &&
              starters
                .filter((s) => s.trim())
                .map((s) => (
                  <Button key={s} size="sm" onClick={() => void ask(s)} className="h-auto min-h-8 py-1 text-start whitespace-normal">
                    {s}
                  </Button>
                ))}
          </div>
        )}
        {Array.from(messages.entries(), ([at, m]) => (
          <div key={at} className={cx('max-w-[85%] rounded-lg px-3 py-2 whitespace-pre-wrap', m.role === 'user' ? 'self-end bg-accent-soft text-accent-text' : 'self-start bg-hover')}>
            <span className="sr-only">{m.role === 'user' ? t('You: ') : `${name}: `}</span>
            {m.content || <span className="text-muted">{t('Thinking …')}</span>}
          </div>
        ))}
      </div>
      {fault && (
        <p role="alert" className="border-t border-line px-4 py-2.5 text-bad">
          {fault}
        </p>
      )}
      <form
        className="flex items-end gap-2 border-t border-line p-3"
        onSubmit={(e) => {
          e.preventDefault()
          void ask(text)
        }}
      >
        <Textarea
          aria-label={t('Message')}
          value={text}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && !e.shiftKey) {
              e.preventDefault()
              void ask(text)
            }
          }}
          placeholder={t('Write a message')}
          disabled={!ready}
          className="min-h-9 resize-none"
          rows={1}
        />
        {running ? (
          <Button type="button" onClick={() => stop.current?.abort()} aria-label={t('Stop')}>
            <Square aria-hidden />
          </Button>
        ) : (
          <Button type="submit" variant="primary" disabled={!ready || !text.trim()} aria-label={t('Send')}>
            <SendHorizontal aria-hidden />
          </Button>
        )}
      </form>
      <p aria-live="polite" className={cx('px-4 text-xs text-muted', note && 'pb-3')}>
        {note}
      </p>
    </Card>
  )
}
