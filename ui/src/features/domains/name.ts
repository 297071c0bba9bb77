import { t } from '@/lib/i18n'

/** A domain out of what people paste: an address of a page or of a mailbox. */
export function tidyDomain(text: string): string {
  const plain = text.trim().toLowerCase().replace(/^[a-z]+:\/\//, '')
  return plain.slice(plain.lastIndexOf('@') + 1).replace(/[/?#:].*$/, '').replace(/\.$/, '')
}

/** What keeps it from being a domain, in words; the server looks closer. */
export function domainProblem(text: string): string | undefined {
  const name = tidyDomain(text)
  if (!name) return t('Enter a domain such as example.com.')
  if (!/^[^\s.]+(\.[^\s.]+)+$/.test(name) || name.length > 253) return t('“{{name}}” isn\'t a domain; one looks like example.com.', { name: name.slice(0, 60) })
}
