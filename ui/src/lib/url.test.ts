import { expect, it } from 'vitest'
import { plainSearch, safePath, startAt, texts } from './url'

it('hands texts through an address as they were written', () => {
  const search = '?state=1e3&nonce=007&scope=read+models.call&q=true'
  expect(plainSearch.parse(search)).toEqual({ state: '1e3', nonce: '007', scope: 'read models.call', q: 'true' })
  expect(plainSearch.stringify(plainSearch.parse(search))).toBe(search)
  expect(plainSearch.stringify({ q: undefined })).toBe('')
  expect(texts('state')(plainSearch.parse(search))).toEqual({ state: '1e3' })
})

it.each([
  ['/a/acme/console?q=1', '/a/acme/console?q=1'],
  ['//evil.example', undefined],
  ['/\\evil.example', undefined],
  ['https://evil.example', undefined],
  ['javascript:alert(1)', undefined],
  ['', undefined],
  [undefined, undefined],
])('goes on to %s only if it is a path', (path, expected) => expect(safePath(path)).toBe(expected))

it('takes the return path along to the provider', () => {
  expect(startAt('/sso/idp_1/start', { return: '/a/acme/console?q=1&x=2' }, 'https://cockpit.example')).toBe('https://cockpit.example/sso/idp_1/start?return=%2Fa%2Facme%2Fconsole%3Fq%3D1%26x%3D2')
  expect(startAt('https://cockpit.example/sso?provider=1', { return: undefined })).toBe('https://cockpit.example/sso?provider=1')
})
