import { t } from '@/lib/i18n'

const browsers: [RegExp, string][] = [
  [/\bEdgA?\/|EdgiOS\//, 'Edge'],
  [/\bOPR\/|Opera/, 'Opera'],
  [/SamsungBrowser/, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|Chromium\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]

const systems: [RegExp, string][] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
]

/** "Firefox on Linux": enough to tell one's own sessions apart. What it can't read it shows as it is. */
export function agentName(userAgent: string): string {
  const browser = browsers.find(([r]) => r.test(userAgent))?.[1]
  const system = systems.find(([r]) => r.test(userAgent))?.[1]
  if (browser && system) return t('{{browser}} on {{system}}', { browser, system })
  return browser ?? system ?? (userAgent.slice(0, 60) || t('Unknown program'))
}
