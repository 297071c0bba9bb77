import { expect, test } from 'vitest'
import { read, type Receipt } from './stream'

test('texts, costs and errors of a stream are told apart', () => {
  const receipt: Receipt = {}
  let text = ''
  const lines = ['data: {"choices":[{"delta":{"content":"Hi"}}]}', '', ': x-cockpit-credits: 0.25', 'data: {"choices":[{"delta":{"content":" there"}}]}', 'data: {"choices":[],"usage":{}}', 'data: [DONE]']
  for (const line of lines) read(line, (more) => (text += more), receipt)
  expect(text).toBe('Hi there')
  expect(receipt.credits).toBe('0.25')
  expect(() => read('data: {"error":{"message":"The budget is used up."}}', () => undefined, receipt)).toThrow('The budget is used up.')
})
