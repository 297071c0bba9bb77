import { expect, it } from 'vitest'
import { slugProblem, suggestSlug } from './slug'

it('suggests a name for addresses', () => {
  expect(suggestSlug('Acme Corp')).toBe('acme-corp')
  expect(suggestSlug('Müller & Söhne GmbH')).toBe('muller-and-sohne-gmbh')
  expect(suggestSlug('  Straße #1!  ')).toBe('strasse-1')
  expect(suggestSlug('株式会社')).toBe('')
})

it('suggests none that would be refused, but for being too short', () => {
  for (const name of ['Acme Corp', `${'long '.repeat(20)}name`, '--- dashes ---', `${'a'.repeat(39)} b`]) expect(slugProblem(suggestSlug(name))).toBeUndefined()
})

it('says what is wrong', () => {
  for (const slug of ['', 'ab', 'Acme', 'a b c', '-abc', 'abc-', 'x'.repeat(41)]) expect(slugProblem(slug)).toBeTruthy()
})
