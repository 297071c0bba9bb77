import { ImagePlus, X } from 'lucide-react'
import { useState } from 'react'
import type { ListingPartsFragment } from '@/graphql/generated/graphql'
import { Button } from '@/kit/button'
import { Field, Input, Textarea } from '@/kit/field'
import { Select } from '@/kit/select'
import { t } from '@/lib/i18n'
import { entries, shown } from './words'

/** What a listing says of itself, as the form holds it. */
export type Text = { name: string; summary: string; description: string; icon: string; categories: string; tags: string; capabilities: string; requirements: string; screenshots: string[] }

export const emptyText: Text = { name: '', summary: '', description: '', icon: '', categories: '', tags: '', capabilities: '', requirements: '', screenshots: [] }

export const textOf = (l: ListingPartsFragment): Text => ({
  name: l.name,
  summary: l.summary,
  description: l.description,
  icon: l.icon,
  categories: l.categories.join(', '),
  tags: l.tags.join(', '),
  capabilities: l.capabilities.join('\n'),
  requirements: l.requirements.join('\n'),
  screenshots: l.screenshots,
})

export const inputOf = (x: Text) => ({
  name: x.name.trim(),
  summary: x.summary.trim(),
  description: x.description.trim(),
  icon: x.icon,
  categories: entries(x.categories, /[,\n]/),
  tags: entries(x.tags, /[,\n]/),
  capabilities: entries(x.capabilities, /\n/),
  requirements: entries(x.requirements, /\n/),
  screenshots: x.screenshots,
})

const icons = ['', 'bot', 'clipboard-check', 'file-text', 'messages', 'notebook-pen', 'scale', 'search', 'sparkles']
const iconNames: Record<string, string> = { '': t('By its kind'), bot: t('Robot'), 'clipboard-check': t('Checklist'), 'file-text': t('Page'), messages: t('Messages'), 'notebook-pen': t('Notebook'), scale: t('Scales'), search: t('Magnifier'), sparkles: t('Sparkles') }

type Props = { value: Text; onChange: (text: Text) => void; errors: Record<string, string>; named?: boolean }

/** The words and pictures of a listing. */
export function TextFields({ value: x, onChange, errors, named = true }: Props) {
  const set = (patch: Partial<Text>) => onChange({ ...x, ...patch })
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-[1fr_11rem]">
        {named && (
          <Field label={t('Name')} required error={errors.name}>
            {(wiring) => <Input {...wiring} value={x.name} onChange={(e) => set({ name: e.target.value })} maxLength={120} />}
          </Field>
        )}
        <Field label={t('Icon')} error={errors.icon}>
          {(wiring) => <Select {...wiring} value={icons.includes(x.icon) ? x.icon : ''} onChange={(icon) => set({ icon })} options={icons.map((i) => ({ value: i, label: iconNames[i]! }))} />}
        </Field>
      </div>
      <Field label={t('Summary')} error={errors.summary} hint={t('In a sentence: what people read on the card.')}>
        {(wiring) => <Input {...wiring} value={x.summary} onChange={(e) => set({ summary: e.target.value })} maxLength={300} />}
      </Field>
      <Field label={t('Description')} error={errors.description}>
        {(wiring) => <Textarea {...wiring} value={x.description} onChange={(e) => set({ description: e.target.value })} maxLength={20_000} className="min-h-28" />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t('Categories')} error={errors.categories} hint={t('With commas between.')}>
          {(wiring) => <Input {...wiring} value={x.categories} onChange={(e) => set({ categories: e.target.value })} />}
        </Field>
        <Field label={t('Words to find it by')} error={errors.tags} hint={t('With commas between.')}>
          {(wiring) => <Input {...wiring} value={x.tags} onChange={(e) => set({ tags: e.target.value })} />}
        </Field>
        <Field label={t('What it does')} error={errors.capabilities} hint={t('One on each line.')}>
          {(wiring) => <Textarea {...wiring} value={x.capabilities} onChange={(e) => set({ capabilities: e.target.value })} />}
        </Field>
        <Field label={t('What it needs')} error={errors.requirements} hint={t('One on each line.')}>
          {(wiring) => <Textarea {...wiring} value={x.requirements} onChange={(e) => set({ requirements: e.target.value })} />}
        </Field>
      </div>
      <Pictures value={x.screenshots} onChange={(screenshots) => set({ screenshots })} error={errors.screenshots} />
    </>
  )
}

// What the server takes, in bytes of the file: base64 makes a third more of it.
const largest = 220 * 1024

function Pictures({ value, onChange, error }: { value: string[]; onChange: (pictures: string[]) => void; error?: string }) {
  const [problem, setProblem] = useState<string>()
  const add = async (file: File | undefined) => {
    setProblem(undefined)
    if (!file) return
    if (!['image/png', 'image/jpeg', 'image/webp'].includes(file.type)) return setProblem(t('Choose a PNG, a JPEG or a WebP picture.'))
    if (file.size > largest) return setProblem(t('A picture has at most {{size}} kB.', { size: largest / 1024 }))
    const reader = new FileReader()
    reader.addEventListener('load', () => onChange([...new Set([...value, reader.result as string])].slice(0, 8)))
    reader.addEventListener('error', () => setProblem(t('The picture could not be read.')))
    reader.readAsDataURL(file)
  }
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1.5 text-sm font-medium">{t('Pictures')}</legend>
      {value.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {value.map((picture, i) => (
            <li key={picture} className="relative h-20 w-32 overflow-hidden rounded-md border border-line bg-bg">
              {shown(picture) ? <img src={picture} alt={t('Picture {{n}}', { n: i + 1 })} className="size-full object-cover" /> : <span className="block p-2 text-xs break-all text-muted">{picture.slice(0, 60)}</span>}
              <Button size="icon" className="absolute end-1 top-1 size-6" aria-label={t('Remove picture {{n}}', { n: i + 1 })} onClick={() => onChange(value.filter((p) => p !== picture))}>
                <X aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      )}
      {value.length < 8 && (
        <label className="inline-flex h-8 w-fit cursor-pointer items-center gap-2 rounded-md border border-line bg-surface px-2.5 text-sm font-medium shadow-xs hover:bg-hover has-focus-visible:outline-2 has-focus-visible:outline-accent">
          <ImagePlus aria-hidden className="size-4" /> {t('Add a picture')}
          <input
            type="file"
            accept="image/png,image/jpeg,image/webp"
            className="sr-only"
            onChange={(e) => {
              void add(e.target.files?.[0])
              e.target.value = ''
            }}
          />
        </label>
      )}
      {(problem || error) && (
        <p role="alert" className="text-xs text-bad">
          {problem ?? error}
        </p>
      )}
    </fieldset>
  )
}
