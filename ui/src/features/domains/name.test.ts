import { expect, it } from 'vitest'
import { domainProblem, tidyDomain } from './name'

it('finds the domain in what people paste', () => {
  for (const text of ['example.com', ' Example.COM. ', 'https://example.com/about?x=1', 'ada@example.com', 'example.com:443']) expect(tidyDomain(text)).toBe('example.com')
})

it('says what is no domain', () => {
  for (const text of ['', 'localhost', 'two words.com', '.com', 'a..b']) expect(domainProblem(text)).toBeTruthy()
  for (const text of ['example.com', 'mail.example.co.uk', 'bücher.example']) expect(domainProblem(text)).toBeUndefined()
})
