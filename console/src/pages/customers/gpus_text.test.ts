import { expect, test } from 'vitest'

import { gpusOf, gpusText } from './gpus_text'

test('what is read is what was shown', () => {
  const lines = [{ what: 'gpus', limit: '64' }, { what: 'h100 gpus', limit: '16' }, { what: 'gpu_hours', limit: '9' }, { what: 'a40 gpus', limit: null }]
  expect(gpusText(lines)).toBe('any 64, h100 16')
  expect(gpusOf(gpusText(lines))).toEqual({ any: '64', h100: '16' })
})

test.each([
  ['', {}],
  ['h100:8', { h100: '8' }],
  ['a100-80=0.5, any 4', { 'a100-80': '0.5', any: '4' }],
  ['sixteen', null],
  ['h100 -1', null],
])('%s', (text, read) => expect(gpusOf(text)).toEqual(read))
