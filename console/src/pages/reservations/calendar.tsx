// Windows of each SKU on an axis of days, from now on: bars as high as the share of its GPUs that they
// keep. The table below says the same.
import { Link } from '@tanstack/react-router'

import type { Schemas } from '../../api/client'
import { useNow } from '../../parts/clock'
import { Emulated } from '../../parts/state'
import { timeText } from '../../parts/time'
import { language, t } from '../../text/text'
import './calendar.css'

export type Reservation = Schemas['ReservationView']
export type Offer = Schemas['Offer']

interface Props {
  offers: Offer[]
  reservations: Reservation[]
  days: number
  pick: (from: string, gpu: string) => void
}

const day_ms = 86_400_000

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
          : d.toLocaleDateString(language(), { month: 'numeric', day: 'numeric', weekday: days <= 14 ? 'short' : undefined })
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

export function Calendar({ offers, reservations, days, pick }: Props) {
  const now = useNow()
  const from = now - (now % 60_000)
  const place = (at: number) => Math.min(100, Math.max(0, (100 * (at - from)) / (days * day_ms)))
  const ticks = ticksOf(from, days)
  return (
    <div className="calendar" role="group" aria-label={t('reservations.calendar')}>
      <div className="calendar-head" aria-hidden>
        {ticks.filter((k) => place(k.at) < 95).map((k) => (
          <span key={k.at} style={{ left: `${place(k.at)}%` }}>
            {k.text}
          </span>
        ))}
      </div>
      {offers.map((o) => {
        const lanes = lanesOf(reservations.filter((r) => r.sku === o.sku))
        return (
          <div className="calendar-row" key={o.sku}>
            <div className="calendar-name">
              <div>
                <Link to={`/offers/${o.sku}`}>{o.sku}</Link>
              </div>
              <Emulated is={o.emulated} />
              <span className="note">{t('offers.freeOf', { free: o.gpus_free, total: o.gpus_total })}</span>
            </div>
            <div className="calendar-lanes">
              {ticks.map((k) => (
                <i key={k.at} style={{ left: `${place(k.at)}%` }} />
              ))}
              {lanes.length === 0 && (
                <button type="button" className="calendar-none note" onClick={() => pick('', o.sku)}>
                  {t('reservations.none', { sku: o.sku })}
                </button>
              )}
              {lanes.map((lane, i) => (
                <div className="calendar-lane" key={i}>
                  {lane.map((w) => {
                    const left = place(Date.parse(w.from))
                    const width = Math.max(0.6, place(Date.parse(w.until)) - left)
                    const text = `${w.name}: ${w.sku}:${w.gpus}, ${timeText(w.from)} – ${timeText(w.until)}`
                    return (
                      <span key={w.id} className={`calendar-bar ${w.state}`} role="img" aria-label={text} title={text} style={{ left: `${left}%`, width: `${width}%` }}>
                        {w.gpus} · {w.name}
                      </span>
                    )
                  })}
                </div>
              ))}
            </div>
          </div>
        )
      })}
    </div>
  )
}
