import { expect, test } from 'vitest'

import { apiField, draftOf, emptyDraft, hourly, money, wrongIn, yamlOf, type Draft } from './book'

const per_unit = (price: number, per = 1000) => ({ kind: 'per_unit' as const, per, tiers: [{ up_to: 0, price, flat: 0 }], package: 0, free: 0, minimum: 0, maximum: 0 })
const rule = (meter: string, price: ReturnType<typeof per_unit>, more = {}) => ({ meter, text: '', exact_per_second: true, price, ...more })

const book = {
  version: 1,
  name: 'list',
  currency: 'USD',
  effective_from: '2026-01-01T00:00:00Z',
  state: 'in_force' as const,
  rule_count: 8,
  rules: [
    rule('gpu', per_unit(47_800), { sku: 'h100' }),
    rule('gpu', per_unit(23_900), { sku: 'h100', job_class: 'spot' as const }),
    rule('vcpu', per_unit(100)),
    rule('memory', per_unit(50, 1024)),
    rule('cpu_vcpu', per_unit(100)),
    rule('cpu_memory', per_unit(50, 1024)),
    rule('gpu', per_unit(31_070), { sku: 'h100', term_months: 12 }),
    rule('tokens', per_unit(9_000_000, 1_000_000_000_000)),
  ],
}

test('a book in force is edited as fields; what they cannot say is rules', () => {
  const d = draftOf(book)
  expect(d.gpus).toEqual([{ sku: 'h100', on_demand: '4.78', spot: '2.39' }])
  expect([d.vcpu, d.gib, d.cpu_vcpu, d.cpu_gib]).toEqual(['0.01', '0.005', '0.01', '0.005'])
  expect(d.rules).toBe('{meter: gpu, sku: h100, term: 12, price: 3.107}\n{meter: tokens, per: 1000000, price: 0.25}')
  expect(wrongIn(d)).toEqual([])
  expect(yamlOf(d)).toBe(
    'name: "list"\ncurrency: USD\ngpus:\n  h100: {on_demand: 4.78, spot: 2.39}\nbeside_gpu: {vcpu: 0.01, gib: 0.005}\ncpu_only: {vcpu: 0.01, gib: 0.005}\n' +
      'rules:\n  - {meter: gpu, sku: h100, term: 12, price: 3.107}\n  - {meter: tokens, per: 1000000, price: 0.25}\n',
  )
})

test('prices are exact', () => {
  expect(hourly(1)).toBe('0.0001')
  expect(hourly(100_000_000)).toBe('10000')
  expect(money(36_000_000 * 5000)).toBe('5000')
})

const good: Draft = { ...emptyDraft, name: 'x', gpus: [{ sku: 'h100', on_demand: '4.78', spot: '' }], vcpu: '0.01', gib: '0.005', cpu_vcpu: '0.01', cpu_gib: '0.005' }

test.each([
  [{}, []],
  [{ name: ' ' }, ['name']],
  [{ gpus: [{ sku: 'h100', on_demand: '4.78001', spot: '-1' }] }, ['gpus[0].on_demand', 'gpus[0].spot']],
  [{ gpus: [{ sku: 'h100', on_demand: '10001', spot: '' }] }, ['gpus[0].on_demand']],
  [{ gpus: [good.gpus[0]!, good.gpus[0]!] }, ['gpus[1].sku']],
  [{ vcpu: '' }, ['vcpu']],
  [{ gpus: [], rules: '' }, ['gpus']],
  [{ gpus: [], rules: '{meter: gpu, price: 1}', vcpu: '', gib: '', cpu_vcpu: '', cpu_gib: '' }, []],
  [{ rules: '{meter: gpu, price: 1}', gib: '' }, ['gib']],
] as [Partial<Draft>, string[]][])('%j: wrong is %j', (change, fields) => {
  expect(wrongIn({ ...good, ...change }).map((w) => w.field)).toEqual(fields)
})

test('the server names a field by its SKU', () => {
  expect(apiField(good, 'gpus[0].on_demand')).toBe('gpus.h100.on_demand')
  expect(apiField(good, 'gib')).toBe('beside_gpu.gib')
})
