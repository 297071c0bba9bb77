import { useState } from 'react'
import { CopyButton } from '@/kit/copy'
import { Segments } from '@/kit/toggle'
import { t } from '@/lib/i18n'

type Language = 'curl' | 'js' | 'python'

const languages: readonly { value: Language; label: string }[] = [
  { value: 'curl', label: 'curl' },
  { value: 'js', label: 'JavaScript' },
  { value: 'python', label: 'Python' },
]

function write(language: Language, secret: string, model: string) {
  const base = `${location.origin}/v1`
  switch (language) {
    case 'curl':
      return `curl ${base}/chat/completions \\\n  -H "Authorization: Bearer ${secret}" \\\n  -H "Content-Type: application/json" \\\n  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`
    case 'js':
      return `import OpenAI from 'openai'\n\nconst client = new OpenAI({ baseURL: '${base}', apiKey: '${secret}' })\nconst answer = await client.chat.completions.create({\n  model: '${model}',\n  messages: [{ role: 'user', content: 'Hello' }],\n})`
    case 'python':
      return `from openai import OpenAI\n\nclient = OpenAI(base_url="${base}", api_key="${secret}")\nanswer = client.chat.completions.create(\n    model="${model}",\n    messages=[{"role": "user", "content": "Hello"}],\n)`
  }
}

/** A call to try the key with; any OpenAI client works the same. */
export function Snippet({ secret, model }: { secret: string; model: string }) {
  const [language, setLanguage] = useState<Language>('curl')
  const text = write(language, secret, model)
  return (
    <div>
      <div className="mb-2 flex items-center justify-between gap-2">
        <Segments label={t('Language')} value={language} onChange={setLanguage} options={languages} />
        <CopyButton text={text} />
      </div>
      <pre tabIndex={0} role="region" aria-label={t('Example call')} className="max-h-48 overflow-auto rounded-md border border-line bg-bg p-3 font-mono text-xs leading-5">
        {text}
      </pre>
    </div>
  )
}
