import { render, screen } from '@testing-library/react'
import { expect, it } from 'vitest'
import { WhyNot } from './why-not'

const node = (allowed: boolean) => ({ id: 'team_1', viewerCan: [{ action: 'budget.set', allowed, reason: allowed ? '' : 'Needs an admin of a scope above this one.' }] })

it('stands in for what one may not do, with the reason', () => {
  render(<WhyNot plane="CONSOLE" node={node(false)} action="budget.set" />)
  expect(screen.getByRole('button', { name: "Why can't I set its limit?" })).toHaveAttribute('title', 'Needs an admin of a scope above this one.')
})

it('is not there for those who may, nor for what the server does not speak of', () => {
  const { container } = render(
    <>
      <WhyNot plane="CONSOLE" node={node(true)} action="budget.set" />
      <WhyNot plane="CONSOLE" node={node(false)} action="key.create" />
      <WhyNot plane="CONSOLE" node={null} action="budget.set" />
    </>,
  )
  expect(container).toBeEmptyDOMElement()
})
