import { describe, expect, it, test } from 'vitest'
import amounts from './amounts.json'
import { about, ago, compactMoney, cycle, exact, money, moneyWords, parseAmount, percent, tickMoney } from './format'

describe('money', () => {
  it.each([
    ['12.5', 'USD', '$12.50'],
    ['0.000123', 'USD', '$0.000123'],
    ['0', 'USD', '$0.00'],
    ['1250', 'CREDITS', '1,250'],
    ['0.25', 'CREDITS', '0.25'],
    // Past 2⁵³ a float would lose the last digits.
    ['9007199254740993', 'CREDITS', '9,007,199,254,740,993'],
    ['-3.5', 'USD', '-$3.50'],
  ] as const)('%s %s reads %s', (amount, unit, text) => expect(money(amount, unit)).toBe(text))

  // The server's texts are held against the same table.
  it.each(amounts as [string, string, string][])('%s reads %s and %s', (amount, usd, credits) => {
    expect(money(amount, 'USD')).toBe(usd)
    expect(moneyWords(amount, 'CREDITS')).toBe(credits)
  })

  it('says the unit of credits in words', () => {
    expect(moneyWords('1250', 'CREDITS')).toBe('1,250 credits')
    expect(moneyWords('1250', 'USD')).toBe('$1,250.00')
  })

  it('shortens for cards', () => {
    expect(compactMoney('1234567', 'USD')).toBe('$1.2M')
    expect(compactMoney('7.6', 'USD')).toBe('$7.60')
    expect(tickMoney(32, 'USD')).toBe('$32')
    expect(compactMoney('7', 'USD')).toBe('$7.00')
    expect(compactMoney('38400', 'CREDITS')).toBe('38.4K')
  })

  it('keeps every digit of a price', () => expect(exact('0.123456789', 'USD')).toBe('$0.123456789'))
})

describe('parseAmount', () => {
  it.each([
    ['12000', '12000'],
    [' $1,200.50 ', '1200.50'],
    ['0', '0'],
    ['-1', null],
    ['1e9', null],
    ['', null],
    ['1.0000000001', null],
    ['9999999999', null],
  ])('%s → %s', (text, amount) => expect(parseAmount(text)).toBe(amount))
})

it('estimates in whole units', () => {
  expect(about(728.6, 'USD')).toBe('$729')
  expect(about(0.5, 'USD')).toBe('$0.50')
  expect(about(0.000187, 'USD')).toBe('$0.00019')
  expect(about(67954.6, 'CREDITS')).toBe('67,955')
})

it('never shows something as nothing', () => {
  expect(percent(0)).toBe('0%')
  expect(percent(0.2)).toBe('0.2%')
  expect(percent(64.5)).toBe('65%')
})

it('tells how long ago', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  expect(ago('2026-11-21T09:00:00Z', now)).toBe('3 hours ago')
  expect(ago('2026-11-21T11:59:40Z', now)).toBe('just now')
})

test.each([
  ['2026-10-31T23:00:00Z', '2026-11-30T23:00:00Z', 'Europe/Berlin', 'November 2026'],
  ['2026-11-14T23:00:00Z', '2026-12-14T23:00:00Z', 'Europe/Berlin', 'Nov 15 – Dec 14, 2026'],
  ['2026-12-15T00:00:00Z', '2027-01-15T00:00:00Z', 'UTC', 'Dec 15, 2026 – Jan 14, 2027'],
  ['2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z', 'UTC', 'Oct 1 – Dec 31, 2026'],
  ['2026-11-01T00:00:00Z', '9999-01-01T00:00:00Z', 'UTC', 'Since Nov 1, 2026'],
])('the cycle from %s to %s in %s is %s', (from, to, zone, text) => expect(cycle(from, to, zone).replaceAll(/[\u2009\u202f]/g, ' ')).toBe(text))
