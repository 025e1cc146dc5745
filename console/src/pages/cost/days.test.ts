import { expect, test } from 'vitest'

import { currenciesOf, dailyAmounts, daysOf, lastMonths, spanOf } from './days'

const now = new Date('2026-03-01T23:30:00Z')

test.each([
  ['7d', '2026-02-23', '2026-03-02'],
  ['30d', '2026-01-31', '2026-03-02'],
  ['month', '2026-03-01', '2026-03-02'],
  ['last', '2026-02-01', '2026-03-01'],
  ['nonsense', '2026-01-31', '2026-03-02'],
])('%s is from %s until before %s', (range, from, to) => expect(spanOf(range, now)).toEqual({ from, to }))

test('every day is there once, over the end of a month', () =>
  expect(daysOf('2026-02-27', '2026-03-02')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']))

const row = (key: string, amount_usd: string, currency?: string) =>
  ({ key, amount_usd, currency, jobs: 1, gpu_seconds: 0, vcpu_milliseconds_k: 0, memory_mib_seconds: 0, amount_ticks: 0, gpu_milli_seconds: 0 })

test('days without use are zero; currencies do not mix', () => {
  const rows = [row('2026-02-27', '1.5'), row('2026-02-27', '900', 'JPY'), row('2026-03-01', '2')]
  expect(dailyAmounts(rows, daysOf('2026-02-27', '2026-03-02'), 'USD')).toEqual([1.5, 0, 2])
  expect(currenciesOf(rows)).toEqual(['USD', 'JPY'])
})

test('months go back over the year', () => expect(lastMonths(now, 4)).toEqual(['2026-03', '2026-02', '2026-01', '2025-12']))
