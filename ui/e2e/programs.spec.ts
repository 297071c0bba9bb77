import { enter, expect, test, violations } from './fixture'
import { bearer, emails, exchange, password, webClientId } from './server'

test('a personal token is made, shown once, used and revoked', async ({ page, signIn }) => {
  await signIn('member')
  const name = `token-${Date.now()}`
  await page.goto('/me/programs')
  await page.getByRole('button', { name: 'New token' }).first().click()
  await page.getByRole('button', { name: 'Create token' }).click()
  await expect(page.getByText('Choose at least one')).toBeVisible()
  await page.getByLabel('Name').fill(name)
  expect.soft(await violations(page), 'new token').toEqual([])
  await page.getByRole('checkbox', { name: /profile/ }).click()
  await page.getByRole('button', { name: 'Create token' }).click()
  await page.getByRole('button', { name: 'Copy token' }).click()
  const token = await page.evaluate(() => navigator.clipboard.readText())
  await expect(page.getByTestId('token')).toHaveText(token)
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('token')).toBeVisible()
  expect.soft(await violations(page), 'token').toEqual([])
  await page.getByRole('checkbox', { name: 'I have stored the token' }).click()
  await page.getByRole('button', { name: 'Done' }).click()
  await expect(page.getByRole('row', { name })).toContainText('profile')

  expect(await bearer(token, '{ viewer { name } }')).toMatchObject({ status: 200, body: { data: { viewer: { name: 'Jonas Weber' } } } })
  await page.getByRole('button', { name: `Revoke ${name}` }).click()
  await page.getByRole('button', { name: 'Revoke token' }).click()
  await expect(page.getByRole('row', { name })).toHaveCount(0)
  await expect.poll(async () => JSON.stringify(await bearer(token, '{ viewer { name } }'))).toContain('UNAUTHENTICATED')
})

// The example of RFC 7636.
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const ask = (redirect: string, state = '1e3') =>
  `/oauth/authorize?${new URLSearchParams({ client_id: webClientId, redirect_uri: redirect, response_type: 'code', code_challenge: challenge, code_challenge_method: 'S256', state, scope: 'profile' })}`

test('a program asks; one signs in first, then denies or allows, and withdraws it', async ({ page, baseURL }) => {
  const redirect = process.env.COCKPIT_WEB_REDIRECT_URI ?? 'http://127.0.0.1:5173/callback'
  // The program itself isn't part of this test: what it would be told is in the address.
  await page.route(`${new URL(redirect).origin}/**`, (route) => route.fulfill({ contentType: 'text/html', body: '<title>Back</title>' }))

  await page.goto(ask(redirect))
  await expect(page).toHaveURL(/sign-in\?next=/)
  await enter(page, emails.member, password)
  await expect(page.getByRole('heading', { name: /act for you\?/ })).toBeVisible()
  await expect(page.getByText(new URL(redirect).host)).toBeVisible()
  expect.soft(await violations(page), 'consent').toEqual([])

  await page.getByRole('button', { name: 'Deny' }).click()
  await page.waitForURL(`${redirect}?*`)
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toMatchObject({ error: 'access_denied', state: '1e3' })

  await page.goto(ask(redirect))
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${redirect}?*`)
  const told = new URL(page.url()).searchParams
  expect(told.get('state')).toBe('1e3')
  // The program takes its tokens with the code; from then on it stands on the profile.
  const tokens = await exchange({ grant_type: 'authorization_code', client_id: webClientId, redirect_uri: redirect, code: told.get('code')!, code_verifier: verifier })
  expect(tokens.status).toBe(200)

  await page.goto(`${baseURL}/me/programs`)
  await page.getByRole('button', { name: /^Withdraw access of/ }).first().click()
  await page.getByRole('button', { name: 'Withdraw access', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'No program acts for you' })).toBeVisible()
})

test('a request that is not valid leads nowhere', async ({ page, signIn }) => {
  await signIn('member')
  for (const address of [ask('https://evil.example/steal'), ask('javascript:alert(1)'), '/oauth/authorize']) {
    await page.goto(address)
    await expect(page.getByRole('heading', { name: 'This request is not valid' })).toBeVisible()
    await expect(page.getByRole('button', { name: 'Deny' })).toHaveCount(0)
    await expect(page.getByRole('button', { name: 'Allow' })).toHaveCount(0)
  }
})
