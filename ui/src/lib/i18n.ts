import i18next from 'i18next'

// English sentences are the keys; only plurals need an entry.
const en = {
  '{{count}} calls_one': '{{count, number}} call',
  '{{count}} calls_other': '{{count, number}} calls',
  '{{count}} days_one': '{{count, number}} day',
  '{{count}} days_other': '{{count, number}} days',
  '{{count}} models_one': '{{count, number}} model',
  '{{count}} models_other': '{{count, number}} models',
  '{{count}} users_one': '{{count, number}} user',
  '{{count}} users_other': '{{count, number}} users',
  '{{count}} accounts_one': '{{count, number}} account',
  '{{count}} accounts_other': '{{count, number}} accounts',
  '{{count}} per minute_one': '{{count, number}} per minute',
  '{{count}} per minute_other': '{{count, number}} per minute',
  '{{amount}} in {{count}} calls_one': '{{amount}} in {{count, number}} call',
  '{{amount}} in {{count}} calls_other': '{{amount}} in {{count, number}} calls',
  'Works: {{count}} models, answered in {{ms}} ms_one': 'Works: {{count}} model, answered in {{ms}} ms',
  'Works: {{count}} models, answered in {{ms}} ms_other': 'Works: {{count}} models, answered in {{ms}} ms',
  'Calls to it are refused at once in {{count}} accounts._one': 'Calls to it are refused at once in {{count}} account.',
  'Calls to it are refused at once in {{count}} accounts._other': 'Calls to it are refused at once in {{count}} accounts.',
  'Holds for calls that begin from now on, in {{count}} accounts._one': 'Holds for calls that begin from now on, in {{count}} account.',
  'Holds for calls that begin from now on, in {{count}} accounts._other': 'Holds for calls that begin from now on, in {{count}} accounts.',
  '{{count}} budgets need a look_one': '{{count, number}} budget needs a look',
  '{{count}} budgets need a look_other': '{{count, number}} budgets need a look',
}

await i18next.init({
  lng: 'en',
  fallbackLng: 'en',
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false },
  resources: { en: { translation: en } },
})

type Values = Record<string, string | number>

/** The sentence in the reader's language; `count` picks the plural. */
export const t = (sentence: string, values?: Values): string => i18next.t(sentence, values)

export const language = () => i18next.language
