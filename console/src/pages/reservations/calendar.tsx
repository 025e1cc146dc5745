// Each SKU on an axis of days, from now on: how many of its GPUs could be reserved, and what is
// reserved. The tables and the dialog below say the same.
import { Link } from '@tanstack/react-router'

import { useNow } from '../../parts/clock'
import { Emulated } from '../../parts/state'
import { timeText, utcText } from '../../parts/time'
import { t } from '../../text/text'
import './calendar.css'
import { day_ms, lanesOf, localText, ticksOf, type FreeKind, type Offer, type Reservation } from './lanes'

interface Props {
  offers: Offer[]
  reservations: Reservation[]
  free: FreeKind[]
  days: number
  pick: (from: string, gpu: string) => void
}

export function Calendar({ offers, reservations, free, days, pick }: Props) {
  const now = useNow()
  const from = now - (now % 60_000)
  const place = (at: number) => Math.min(100, Math.max(0, (100 * (at - from)) / (days * day_ms)))
  const ticks = ticksOf(from, days)
  return (
    <div className="calendar" role="group" aria-label={t('reservations.calendar')}>
      <div className="calendar-head" aria-hidden>
        {ticks.filter((k) => place(k.at) < 92).map((k) => (
          <span key={k.at} style={{ left: `${place(k.at)}%` }}>
            {k.text}
          </span>
        ))}
      </div>
      {offers.map((o) => (
        <div className="calendar-row" key={o.sku}>
          <div className="calendar-name">
            <div>
              <Link to={`/offers/${o.sku}`}>{o.sku}</Link>
            </div>
            <Emulated is={o.emulated} />
            <span className="note">{t('reservations.ofAll', { n: o.gpus_total })}</span>
          </div>
          <div className="calendar-lanes">
            {ticks.map((k) => (
              <i key={k.at} style={{ left: `${place(k.at)}%` }} />
            ))}
            <Free kind={free.find((f) => f.sku === o.sku)} place={place} pick={(at) => pick(at, o.sku)} />
            {lanesOf(reservations.filter((r) => r.sku === o.sku)).map((lane, i) => (
              <div className="calendar-lane" key={i}>
                {lane.map((w) => (
                  <Bar key={w.id} of={w} place={place} />
                ))}
              </div>
            ))}
          </div>
        </div>
      ))}
    </div>
  )
}

function Bar({ of: w, place }: { of: Reservation; place: (at: number) => number }) {
  const left = place(Date.parse(w.from))
  const width = Math.max(0.6, place(Date.parse(w.until)) - left)
  const text = `${w.name}: ${w.sku}:${w.gpus}, ${timeText(w.from)} – ${timeText(w.until)}`
  const label = `${w.gpus} · ${w.name}`
  const roomy = width > 12
  return (
    <>
      <span className={`calendar-bar ${w.state}`} role="img" aria-label={text} title={`${text}\n${utcText(w.from)} – ${utcText(w.until)}`} style={{ left: `${left}%`, width: `${width}%` }}>
        {roomy && label}
      </span>
      {!roomy && left + width < 80 && (
        <span className="calendar-beside" style={{ left: `${left + width}%` }} aria-hidden>
          {label}
        </span>
      )}
    </>
  )
}

// A step for each piece of time, as high as it is free; a click reserves from there on. Who cannot
// see or point has the same as a list, and the dialog's own words.
function Free({ kind, place, pick }: { kind?: FreeKind; place: (at: number) => number; pick: (from: string) => void }) {
  if (!kind) return null
  const pieces = kind.pieces ?? []
  const said = (p: (typeof pieces)[number]) => t('reservations.free.piece', { n: p.gpus, from: timeText(p.from), until: timeText(p.until) })
  return (
    <>
      <div className="calendar-free" aria-hidden>
        {pieces.map((p) => {
          const left = place(Date.parse(p.from))
          const width = place(Date.parse(p.until)) - left
          return (
            <span
              key={p.from}
              className={p.gpus ? 'piece' : 'piece none'}
              title={`${said(p)}\n${utcText(p.from)} – ${utcText(p.until)}`}
              style={{ left: `${left}%`, width: `${width}%` }}
              onClick={() => p.gpus && pick(localText(p.from))}
            >
              <i style={{ height: `${(100 * p.gpus) / Math.max(1, kind.gpus_total)}%` }} />
              {width > 7 && <b>{t(p.gpus ? 'reservations.free.n' : 'reservations.free.none', { n: p.gpus })}</b>}
            </span>
          )
        })}
      </div>
      <ul className="unseen">
        {pieces.map((p) => (
          <li key={p.from}>{said(p)}</li>
        ))}
      </ul>
    </>
  )
}
