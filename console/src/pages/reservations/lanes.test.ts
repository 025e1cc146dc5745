import { expect, test } from 'vitest'

import { lanesOf, ticksOf, type Reservation } from './lanes'

const window = (name: string, from: string, until: string) =>
  ({ id: name, name, sku: 'h100', gpus: 8, gpus_kept: 8, gpus_used: 0, state: 'upcoming', project: 'demo', release_unused: false, from, until }) as Reservation

test('windows that overlap stand in two lanes, those after each other in one', () => {
  const a = window('a', '2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z')
  const b = window('b', '2026-12-01T12:00:00Z', '2026-12-03T00:00:00Z')
  const c = window('c', '2026-12-02T00:00:00Z', '2026-12-04T00:00:00Z')
  expect(lanesOf([c, b, a]).map((l) => l.map((w) => w.name))).toEqual([['a', 'c'], ['b']])
})

test.each([
  [2, 8],
  [14, 14],
  [60, 9],
])('%s days have about a dozen lines', (days, lines) => {
  const n = ticksOf(Date.parse('2026-12-01T10:30:00Z'), days).length
  expect(Math.abs(n - lines)).toBeLessThanOrEqual(1)
})
