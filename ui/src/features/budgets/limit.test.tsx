import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Client, fetchExchange, Provider } from 'urql'
import { expect, it } from 'vitest'
import type { BudgetPartsFragment } from '@/graphql/generated/graphql'
import { Limit } from './limit'

const budget = { id: 'bud_1', unit: 'USD', limit: '90', overflow: '0', cycle: 'MONTHLY', version: 3, overcommitted: false, origin: 'SET' } as BudgetPartsFragment

const terms = { limit: '90', raised: '0', reserve: '0', origin: 'SET', distribution: 'POOL' }
const plan = {
  changed: 2,
  changes: [
    { scopeId: 'team_1', scopeName: 'Fraud', scopeKind: 'TEAM', reason: 'Set by an admin.', before: terms, after: { ...terms, limit: '50' } },
    { scopeId: 'mem_1', scopeName: 'Omar', scopeKind: 'MEMBER', reason: 'Equal share of Fraud.', before: { ...terms, limit: '45' }, after: { ...terms, limit: '25' } },
  ],
  warnings: [{ scopeId: 'mem_1', scopeName: 'Omar', code: 'BELOW_SPENT', message: 'Below what is spent.' }],
}

/** The field in edit mode, and what it saved; the server answers with these payloads, one after the other, and plans whatever is only tried. */
function edit(...payloads: object[]) {
  const sent: { scopeId: string; limit: string; expectedVersion: number }[] = []
  let done = false
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const { input } = JSON.parse(init!.body as string).variables
    if (input.dryRun) return new Response(JSON.stringify({ data: { budgetSet: { budget, plan, errors: [] } } }), { headers: { 'Content-Type': 'application/json' } })
    sent.push(input)
    return new Response(JSON.stringify({ data: { budgetSet: payloads.shift() } }), { headers: { 'Content-Type': 'application/json' } })
  }
  const client = new Client({ url: 'http://localhost/graphql', exchanges: [fetchExchange], fetch, preferGetMethod: false })
  render(
    <Provider value={client}>
      <Limit scope={{ id: 'team_1', name: 'Fraud' }} budget={budget} unit="USD" editing onEdit={(on) => (done = !on)} allowed />
    </Provider>,
  )
  return { sent, field: screen.getByLabelText('Limit of Fraud in US dollars'), isDone: () => done }
}

it('sends an exact decimal with the version that was seen', async () => {
  const { sent, field, isDone } = edit({ budget, errors: [] })
  await userEvent.clear(field)
  await userEvent.type(field, '$1,200.50{Enter}')
  expect(sent).toEqual([{ scopeId: 'team_1', limit: '1200.50', expectedVersion: 3 }])
  expect(isDone()).toBe(true)
})

it('sends nothing for what is no amount', async () => {
  const { sent, field } = edit()
  await userEvent.clear(field)
  await userEvent.type(field, '-5{Enter}')
  expect(screen.getByRole('alert')).toHaveTextContent('Enter an amount')
  expect(field).toHaveFocus()
  expect(sent).toEqual([])
})

it('offers what the scope above has left', async () => {
  const refusal = { message: 'Banking has 40 left to give.', code: 'BUDGET_EXCEEDED', path: ['input', 'limit'], available: '130' }
  const { sent, field, isDone } = edit({ budget: null, errors: [refusal] }, { budget, errors: [] })
  await userEvent.clear(field)
  await userEvent.type(field, '500{Enter}')
  expect(await screen.findByRole('alert')).toHaveTextContent('Banking has 40 left to give.')
  await userEvent.click(screen.getByRole('button', { name: 'Use $130.00' }))
  expect(field).toHaveValue('130')
  await userEvent.click(screen.getByRole('button', { name: 'Save' }))
  expect(sent[1]?.limit).toBe('130')
  expect(isDone()).toBe(true)
})

it("takes the version that stands after somebody else's change, so that saving again is a choice", async () => {
  const conflict = { message: 'Anna changed it to 95.', code: 'CONFLICT', path: ['input', 'expectedVersion'], expectedVersion: 3, currentVersion: 4 }
  const { sent, field } = edit({ budget: null, errors: [conflict] }, { budget, errors: [] })
  await userEvent.type(field, '{Enter}')
  expect(await screen.findByRole('alert')).toHaveTextContent('Anna changed it to 95.')
  await userEvent.type(field, '{Enter}')
  expect(sent.map((s) => s.expectedVersion)).toEqual([3, 4])
})

it('leaves without saving on Escape', async () => {
  const { sent, field, isDone } = edit()
  await userEvent.type(field, '1{Escape}')
  expect(isDone()).toBe(true)
  expect(sent).toEqual([])
})

it('shows what would change below before it is saved', async () => {
  const { sent, field } = edit()
  await userEvent.clear(field)
  await userEvent.type(field, '50')
  const changes = await screen.findByRole('list', { name: 'What changes' })
  expect(changes).toHaveTextContent('Omar$45.00$25.00')
  expect(changes).not.toHaveTextContent('Fraud')
  expect(screen.getByText('Below what is spent.')).toBeInTheDocument()
  expect(field).toHaveFocus()
  expect(sent).toEqual([])
})
