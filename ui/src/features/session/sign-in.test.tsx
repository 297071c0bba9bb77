import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Client, fetchExchange, Provider } from 'urql'
import { expect, it } from 'vitest'
import { SignInPage } from './sign-in'

const entra = { id: 'idp_1', name: 'Entra', startUrl: '/sso/start?provider=idp_1' }

/** The page, and the inputs of the sign-ins that it sent; the server answers with these, one after the other. */
async function signIn(...answers: object[]) {
  const sent: object[] = []
  let entered = false
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const { variables } = JSON.parse(init!.body as string) as { variables: { input?: object } }
    if (variables.input) sent.push(variables.input)
    return new Response(JSON.stringify({ data: answers.shift() }), { headers: { 'Content-Type': 'application/json' } })
  }
  const client = new Client({ url: 'http://localhost/graphql', exchanges: [fetchExchange], fetch, preferGetMethod: false })
  render(
    <Provider value={client}>
      <SignInPage next="/a/acme/console?q=1" onSignedIn={() => (entered = true)} />
    </Provider>,
  )
  await userEvent.type(screen.getByLabelText('E-mail'), 'ada@acme.example{Enter}')
  return { sent, isIn: () => entered }
}

it('leads to the identity provider with the way back, and offers the password on demand alone', async () => {
  await signIn({ signInMethods: { password: false, providers: [entra] } })
  const link = await screen.findByRole('link', { name: 'Continue with Entra' })
  expect(new URL(link.getAttribute('href')!).search).toBe('?provider=idp_1&return=%2Fa%2Facme%2Fconsole%3Fq%3D1')
  expect(screen.queryByLabelText('Password')).toBeNull()
  await userEvent.click(screen.getByRole('button', { name: 'Use a password instead' }))
  expect(screen.getByLabelText('Password')).toHaveFocus()
})

it('offers both where both will do', async () => {
  await signIn({ signInMethods: { password: true, providers: [entra] } })
  expect(await screen.findByRole('link', { name: 'Continue with Entra' })).toBeVisible()
  expect(screen.getByLabelText('Password')).toBeVisible()
})

it('says what is wrong under the password, then goes in', async () => {
  const { sent, isIn } = await signIn(
    { signInMethods: { password: true, providers: [] } },
    { sessionCreate: { viewer: null, choices: [], errors: [{ message: 'They do not match.', code: 'INVALID', path: ['input', 'password'] }] } },
    { sessionCreate: { viewer: { name: 'Ada' }, choices: [], errors: [] } },
  )
  const field = await screen.findByLabelText('Password')
  await userEvent.type(field, 'wrong{Enter}')
  expect(await screen.findByRole('alert')).toHaveTextContent('They do not match.')
  expect(field).toHaveFocus()
  expect(isIn()).toBe(false)
  await userEvent.clear(field)
  await userEvent.type(field, 'right{Enter}')
  expect(sent).toEqual([
    { email: 'ada@acme.example', password: 'wrong' },
    { email: 'ada@acme.example', password: 'right' },
  ])
  expect(isIn()).toBe(true)
})

it('lets one choose among several accounts', async () => {
  const { sent, isIn } = await signIn(
    { signInMethods: { password: true, providers: [] } },
    {
      sessionCreate: {
        viewer: null,
        choices: [
          { id: 'acc_1', name: 'Acme', slug: 'acme' },
          { id: 'acc_2', name: 'Globex', slug: 'globex' },
        ],
        errors: [],
      },
    },
    { sessionCreate: { viewer: { name: 'Ada' }, choices: [], errors: [] } },
  )
  await userEvent.type(await screen.findByLabelText('Password'), 'right{Enter}')
  await userEvent.click(await screen.findByRole('button', { name: 'Globex' }))
  expect(sent.at(-1)).toEqual({ email: 'ada@acme.example', password: 'right', accountId: 'acc_2' })
  expect(isIn()).toBe(true)
})
