import { describe, expect, it } from 'vitest'
import { clientKeys } from './client-key'

describe('clientKeys', () => {
  it('keeps its key while the same input is sent again', () => {
    const keys = clientKeys()
    const first = keys.keyed({ name: 'ci', amount: '5' })
    expect(first.name).toBe('ci')
    expect(first.clientKey).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
    expect(keys.keyed({ name: 'ci', amount: '5' })).toEqual(first)
  })

  it('takes a new key for another input, and once it is done', () => {
    const keys = clientKeys()
    const seen = new Set([keys.keyed({ amount: '5' }).clientKey, keys.keyed({ amount: '6' }).clientKey])
    keys.done()
    seen.add(keys.keyed({ amount: '6' }).clientKey)
    seen.add(clientKeys().keyed({ amount: '6' }).clientKey)
    expect(seen.size).toBe(4)
  })
})
