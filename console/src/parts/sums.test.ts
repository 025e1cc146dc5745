import { expect, test } from 'vitest'

import { monthText } from './month'
import { sum } from './sums'

test.each([
  [[], '0'],
  [['0.1', '0.2'], '0.3'],
  [['9007199254740993.01', '0.99'], '9007199254740994.00'],
  [['1', '-2.50'], '-1.50'],
  [['-0.05', '0.05'], '0.00'],
])('%j together are %s', (amounts, text) => expect(sum(amounts)).toBe(text))

test('months are of UTC, over the turn of a year', () => {
  expect(monthText(new Date('2026-01-31T23:30:00Z'), 1)).toBe('2025-12')
  expect(monthText(new Date('2026-03-31T12:00:00Z'))).toBe('2026-03')
})
