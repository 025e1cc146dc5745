// Days of UTC, as the API groups and cuts by them; and what sums to what.
import type { Schemas } from '../../api/client'

export type UsageRow = Schemas['UsageRow']
export type Range = '7d' | '30d' | 'month' | 'last' | '90d'
export const ranges: Range[] = ['7d', '30d', 'month', 'last', '90d']

const day_ms = 86_400_000

export function dayText(at: Date): string {
  return at.toISOString().slice(0, 10)
}

// The first day, and the day after the last.
export function spanOf(range: string, now: Date): { from: string; to: string } {
  const today = new Date(dayText(now) + 'T00:00:00Z')
  const after = (n: number) => dayText(new Date(today.getTime() + n * day_ms))
  const month = (n: number) => dayText(new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + n, 1)))
  switch (range) {
    case '7d':
      return { from: after(-6), to: after(1) }
    case '90d':
      return { from: after(-89), to: after(1) }
    case 'month':
      return { from: month(0), to: after(1) }
    case 'last':
      return { from: month(-1), to: month(0) }
    default:
      return { from: after(-29), to: after(1) }
  }
}

export function daysOf(from: string, to: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(from + 'T00:00:00Z'); at < Date.parse(to + 'T00:00:00Z'); at += day_ms) days.push(dayText(new Date(at)))
  return days
}

// Each day's amount, 0 where nothing was used: for drawing, not for adding up.
export function dailyAmounts(rows: UsageRow[], days: string[], currency: string): number[] {
  const found = new Map(rows.filter((r) => (r.currency ?? 'USD') === currency).map((r) => [r.key, Number(r.amount_usd)]))
  return days.map((d) => found.get(d) ?? 0)
}

export function currenciesOf(rows: UsageRow[]): string[] {
  return [...new Set(rows.map((r) => r.currency ?? 'USD'))]
}

// Months that can be downloaded: this one and those before.
export function lastMonths(now: Date, n: number): string[] {
  return Array.from({ length: n }, (_, i) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - i, 1)).toISOString().slice(0, 7))
}
