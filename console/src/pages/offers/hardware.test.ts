import { expect, test } from 'vitest'

import { generationOf, sizeOf, termPrices, type PriceBook } from './hardware'

test.each([
  ['h100', 'Hopper'],
  ['h200', 'Hopper'],
  ['a100-80', 'Ampere'],
  ['a40', 'Ampere'],
  ['l40s', 'Ada Lovelace'],
  ['l4', 'Ada Lovelace'],
  ['gb200', 'Blackwell'],
  ['v100', 'Volta'],
  ['cpu', ''],
])('%s is %s', (sku, generation) => expect(generationOf(sku)).toBe(generation))

test.each([
  ['h100:8x4', 8, 4],
  ['h100:2', 2, 1],
  ['cpu', 0, 1],
])('%s', (gpus, n, nodes) => expect(sizeOf(gpus)).toEqual({ n, nodes }))

const rule = (sku: string, term_months: number, price: number) =>
  ({ meter: 'gpu', sku, term_months, text: '', exact_per_second: false, price: { kind: 'per_unit', per: 1000, tiers: [{ up_to: 0, price, flat: 0 }], package: 0, free: 0, minimum: 0, maximum: 0 } })
const book = (more: object) => ({ version: 1, name: 'x', currency: 'USD', effective_from: '2026-01-01T00:00:00Z', state: 'in_force', rule_count: 0, ...more }) as unknown as PriceBook

test('terms ascend, exact; the org’s own book goes before the public one; other currencies and past books do not count', () => {
  const books = [
    book({ rules: [rule('h100', 36, 21510), rule('h100', 1, 43020), rule('a40', 1, 11520)] }),
    book({ org: 'acme', rules: [rule('h100', 1, 40000)] }),
    book({ currency: 'EUR', rules: [rule('h100', 3, 1)] }),
    book({ state: 'past', rules: [rule('h100', 6, 1)] }),
  ]
  expect(termPrices(books, 'h100', 'USD')).toEqual([
    { months: 1, amount: '4.0000' },
    { months: 36, amount: '2.1510' },
  ])
})
