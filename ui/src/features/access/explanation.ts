import type { ExplainQuery, ScopeKind } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

export type Explanation = NonNullable<ExplainQuery['explain']>

export type Step = { name: string; kind?: ScopeKind; finding: string; decisive: boolean }

const endings: Record<string, string> = {
  'not-granted': t('Nothing on the way allows it.'),
  disabled: t('The model itself is switched off.'),
  'not-offered': t('The platform offers the model no more.'),
  archived: t('A place on the way was archived.'),
  deactivated: t('The person is deactivated.'),
  'key-list': t("The model isn't on the key's own list."),
  'key-ended': t('The key was revoked or has expired.'),
}

/** The way down with a last step of its own where no place on it decided: then what is missing did. */
export function chain(e: Pick<Explanation, 'allowed' | 'rule' | 'steps'>): Step[] {
  const steps: Step[] = e.steps.map(({ name, kind, finding, decisive }) => ({ name, kind, finding, decisive }))
  if (e.allowed || steps.some((s) => s.decisive)) return steps
  return [...steps, { name: endings[e.rule] ?? t('No role on the way reaches that far.'), finding: '', decisive: true }]
}

/** The verdict in a sentence; without a name it is about the reader. */
export function verdict(allowed: boolean, act: string, name?: string): string {
  if (name) return allowed ? t('Yes, {{name}} may {{act}}', { name, act }) : t('No, {{name}} may not {{act}}', { name, act })
  return allowed ? t('Yes, you may {{act}}', { act }) : t('No, you may not {{act}}', { act })
}

/** The verdict about a place that is nobody's seat: whoever has one in it, or below. */
export const verdictAt = (allowed: boolean, model: string, place: string): string =>
  allowed ? t('Yes, {{model}} may be used in {{place}}', { model, place }) : t('No, {{model}} may not be used in {{place}}', { model, place })

/** A mail to somebody who can change it, with the question in it. */
export function mailTo(email: string, question: string, reason: string): string {
  const query = new URLSearchParams({ subject: question, body: reason })
  return `mailto:${encodeURIComponent(email).replace('%40', '@')}?${query.toString().replaceAll('+', '%20')}`
}
