// What is known of times to come, as lanes on one axis: reservations, maintenance, promised starts.
// Pure: what is drawn is a fraction of the axis.
export interface Lane {
  id: string
  name: string
  kind: 'reservation' | 'maintenance' | 'promise'
  from: number // ms
  until: number | null // null: without an end
  expected?: number
  certain?: boolean
}

export interface Axis {
  from: number
  until: number
  ticks: number[] // ms, at quarters
}

const hour = 3_600_000
const least = hour
const most = 90 * 24 * hour

// From now until the last end, rounded up to a quarter that people count in.
export function axisOf(lanes: Lane[], now: number): Axis {
  let last = now + least
  for (const l of lanes) last = Math.max(last, l.until ?? l.from + hour, l.expected ?? 0)
  const quarters = [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 24 * 4, 24 * 7, 24 * 14, 24 * 23].map((h) => h * hour)
  const wanted = Math.min(last - now, most) / 4
  const quarter = quarters.find((q) => q >= wanted) ?? quarters.at(-1)!
  return { from: now, until: now + 4 * quarter, ticks: [0, 1, 2, 3, 4].map((i) => now + i * quarter) }
}

// Between 0 and 1; what began before the axis begins at its edge.
export function at(axis: Axis, ms: number): number {
  return Math.min(1, Math.max(0, (ms - axis.from) / (axis.until - axis.from)))
}
