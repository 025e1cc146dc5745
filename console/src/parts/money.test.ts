import { expect, test } from 'vitest'

import { moneyText } from './money'

test.each([
  ['0', undefined, '$0.00'],
  ['1234.5', undefined, '$1,234.50'],
  ['0.000125', undefined, '$0.000125'],
  ['0.005', 2, '$0.01'],
  ['0.004999', 2, '$0.00'],
  ['-0.004', 2, '$0.00'],
  ['-1.995', 2, '−$2.00'],
  ['99.999', 2, '$100.00'],
  ['256000000000.123456', 2, '$256,000,000,000.12'],
  ['9007199254740993.01', 2, '$9,007,199,254,740,993.01'],
  ['12', 0, '$12'],
])('%s at %s places is %s', (amount, places, text) => {
  expect(moneyText(amount, 'USD', places)).toBe(text)
})

test('a currency without a mark of its own says its code', () => {
  expect(moneyText('5', 'CHF')).toBe('CHF 5.00')
})
