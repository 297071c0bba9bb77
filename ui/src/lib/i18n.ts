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
  '{{count}} teams_one': '{{count, number}} team',
  '{{count}} teams_other': '{{count, number}} teams',
  '{{count}} organizations_one': '{{count, number}} organization',
  '{{count}} organizations_other': '{{count, number}} organizations',
  '{{count}} people_one': '{{count, number}} person',
  '{{count}} people_other': '{{count, number}} people',
  '{{count}} invitations_one': '{{count, number}} invitation',
  '{{count}} invitations_other': '{{count, number}} invitations',
  '{{count}} addresses_one': '{{count, number}} address',
  '{{count}} addresses_other': '{{count, number}} addresses',
  '{{count}} people are invited_one': '{{count, number}} person is invited',
  '{{count}} people are invited_other': '{{count, number}} people are invited',
  '{{count}} sessions ended_one': '{{count, number}} session ended',
  '{{count}} sessions ended_other': '{{count, number}} sessions ended',
  '{{count}} teams go with it._one': '{{count, number}} team goes with it.',
  '{{count}} teams go with it._other': '{{count, number}} teams go with it.',
  '{{count}} people move to the default team._one': '{{count, number}} person moves to the default team.',
  '{{count}} people move to the default team._other': '{{count, number}} people move to the default team.',
  '{{count}} people move with it._one': '{{count, number}} person moves with it.',
  '{{count}} people move with it._other': '{{count, number}} people move with it.',
  '{{count}} virtual keys are refused until it is restored._one': '{{count, number}} virtual key is refused until it is restored.',
  '{{count}} virtual keys are refused until it is restored._other': '{{count, number}} virtual keys are refused until it is restored.',
  '{{count}} seats end._one': '{{count, number}} seat ends.',
  '{{count}} seats end._other': '{{count, number}} seats end.',
  '{{count}} virtual keys are refused from now on._one': '{{count, number}} virtual key is refused from now on.',
  '{{count}} virtual keys are refused from now on._other': '{{count, number}} virtual keys are refused from now on.',
  '{{count}} budgets end; what was spent stays on the books._one': '{{count, number}} budget ends; what was spent stays on the books.',
  '{{count}} budgets end; what was spent stays on the books._other': '{{count, number}} budgets end; what was spent stays on the books.',
  '{{count}} grants of models go._one': '{{count, number}} grant of a model goes.',
  '{{count}} grants of models go._other': '{{count, number}} grants of models go.',
  '{{count}} roles end._one': '{{count, number}} role ends.',
  '{{count}} roles end._other': '{{count, number}} roles end.',
  '{{count}} open invitations are taken back._one': '{{count, number}} open invitation is taken back.',
  '{{count}} open invitations are taken back._other': '{{count, number}} open invitations are taken back.',
  '{{count}} characters to go_one': '{{count, number}} character to go',
  '{{count}} characters to go_other': '{{count, number}} characters to go',
  '{{count}} budgets need a look_one': '{{count, number}} budget needs a look',
  '{{count}} budgets need a look_other': '{{count, number}} budgets need a look',
}

// At once, as everything is here already: sentences are looked up while modules load.
void i18next.init({
  initAsync: false,
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
