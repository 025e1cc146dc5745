// Numbers and dates in the viewer's language. A format is made once: making it costs a hundred times
// what its use does, and a list shows hundreds of numbers at once.
import { language } from './text'

const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>()

function once<F extends Intl.NumberFormat | Intl.DateTimeFormat>(name: string, make: () => F): F {
  const key = `${language()} ${name}`
  const before = made.get(key) as F | undefined
  if (before) return before
  const format = make()
  made.set(key, format)
  return format
}

export function numberText(n: number | bigint): string {
  return once('n', () => new Intl.NumberFormat(language())).format(n)
}

// "14 min"
export function unitText(n: number, unit: string): string {
  return once(unit, () => new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short' })).format(n)
}

// The date left out: `clock`.
export function instantText(at: Date, clock: boolean): string {
  return once(clock ? 'clock' : 'instant', () => {
    const time = { timeStyle: 'medium', hourCycle: 'h23' } as const
    return new Intl.DateTimeFormat(language(), clock ? time : { ...time, dateStyle: 'medium' })
  }).format(at)
}
