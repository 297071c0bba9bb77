import { expect, it } from 'vitest'
import { refusalUrl, toRequest } from './request'

it('tells the refusal to the program, with its state as it was', () => {
  expect(refusalUrl({ redirect_uri: 'https://app.example/back?keep=1', state: 'a b&c' }, 'https://cockpit.example')).toBe('https://app.example/back?keep=1&error=access_denied&iss=https%3A%2F%2Fcockpit.example&state=a+b%26c')
  expect(refusalUrl({ redirect_uri: 'http://127.0.0.1:9000/cb' }, 'http://c')).toBe('http://127.0.0.1:9000/cb?error=access_denied&iss=http%3A%2F%2Fc')
})

it('never leads to what is no web address', () => {
  for (const uri of ['javascript:alert(1)', 'data:text/html,x', '/back', '', undefined]) expect(refusalUrl({ redirect_uri: uri }, 'http://c')).toBeUndefined()
})

it('hands parameters over as they came, and leaves judging to the server', () => {
  expect(toRequest({ client_id: 'cli_1', response_type: 'code', state: '1e3' })).toEqual({ clientId: 'cli_1', redirectUri: '', scope: undefined, responseType: 'code', codeChallenge: '', codeChallengeMethod: '', state: '1e3', nonce: undefined })
})
