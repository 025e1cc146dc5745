// Windows of each SKU on an axis of days, from now on. The table below says the same.
import { Link } from '@tanstack/react-router'

import { useNow } from '../../parts/clock'
import { Emulated } from '../../parts/state'
import { timeText } from '../../parts/time'
import { t } from '../../text/text'
import './calendar.css'
import { day_ms, lanesOf, ticksOf, type Offer, type Reservation } from './lanes'

interface Props {
  offers: Offer[]
  reservations: Reservation[]
  days: number
  pick: (from: string, gpu: string) => void
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
