// Where windows stand on the calendar: lines of time, and lanes of those that overlap.
import type { Schemas } from '../../api/client'
import { language } from '../../text/text'

export type Reservation = Schemas['ReservationView']
export type Offer = Schemas['Offer']
export type FreeKind = Schemas['FreeKind']

export const day_ms = 86_400_000

// For <input type="datetime-local">: the viewer's own clock, the next whole minute.
export function localText(at: string | Date): string {
  const d = new Date(Math.ceil(new Date(at).getTime() / 60_000) * 60_000)
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

// Where lines stand: hours, days or weeks, so that about a dozen are in sight.
export function ticksOf(from: number, days: number): { at: number; text: string }[] {
  const start = new Date(from)
  start.setHours(0, 0, 0, 0)
  const hours = days <= 2 ? 6 : days <= 14 ? 24 : 7 * 24
  const ticks: { at: number; text: string }[] = []
  const d = new Date(start)
  while (d.getTime() < from + days * day_ms) {
    if (d.getTime() >= from) {
      const text =
        hours < 24 && d.getHours() !== 0
          ? d.toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
          : d.toLocaleDateString(language(), days <= 14 ? { day: 'numeric', weekday: 'short' } : { month: 'numeric', day: 'numeric' })
      ticks.push({ at: d.getTime(), text })
    }
    d.setHours(d.getHours() + hours)
  }
  return ticks
}

// Each window beside those that overlap it, in the first row where there is room.
export function lanesOf(windows: Reservation[]): Reservation[][] {
  const lanes: Reservation[][] = []
  for (const w of [...windows].sort((a, b) => Date.parse(a.from) - Date.parse(b.from))) {
    const lane = lanes.find((l) => Date.parse(l.at(-1)!.until) <= Date.parse(w.from))
    if (lane) lane.push(w)
    else lanes.push([w])
  }
  return lanes
}
