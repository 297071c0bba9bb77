import { expect, it } from 'vitest'
import { parseEmails } from './emails'

it('takes addresses as mail programs and tables give them', () => {
  expect(parseEmails('ada@acme.example\nGrace@Acme.example; ada@acme.example\tlinus@acme.example')).toEqual({ emails: ['ada@acme.example', 'grace@acme.example', 'linus@acme.example'], wrong: [] })
  expect(parseEmails('"Lovelace, Ada" <ada@acme.example>, Grace Hopper <grace@acme.example>').emails).toEqual(['ada@acme.example', 'grace@acme.example'])
  expect(parseEmails(' ada@acme.example  grace@acme.example ').emails).toHaveLength(2)
})

it('names what is no address', () => {
  expect(parseEmails('ada@acme.example, grace(at)acme.example, @acme, x@y')).toEqual({ emails: ['ada@acme.example'], wrong: ['grace(at)acme.example', '@acme', 'x@y'] })
  expect(parseEmails(' \n ')).toEqual({ emails: [], wrong: [] })
})
