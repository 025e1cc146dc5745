// A time axis: now, and marks after it, as a picture with the same in words for who cannot see it.
import { useNow } from './clock'
import { durationText, timeText, utcText } from './time'

export interface Mark {
  at: string
  label: string
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'idle'
}

// `from`: where the axis begins, if that is before now.
export function Axis({ label, from, marks }: { label: string; from?: string; marks: Mark[] }) {
  const now = useNow()
  const sorted = [...marks].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const begin = Math.min(now, from ? Date.parse(from) : now)
  const last = sorted.at(-1)
  const end = Math.max(now + 60_000, last ? Date.parse(last.at) : 0)
  const place = (ms: number) => `${(100 * (Math.min(Math.max(ms, begin), end) - begin)) / (end - begin)}%`
  return (
    <div className="axis" role="group" aria-label={label}>
      <div className="axis-line" aria-hidden>
        <span className="axis-past" style={{ width: place(now) }} />
        <span className="axis-now" style={{ left: place(now) }} />
        {sorted.map((m) => (
          <span key={m.label} className={`axis-mark dot ${m.tone}`} style={{ left: place(Date.parse(m.at)) }} />
        ))}
      </div>
      <ol className="axis-words">
        {sorted.map((m) => (
          <li key={m.label}>
            <span className={`dot ${m.tone}`} aria-hidden /> {m.label}{' '}
            <time dateTime={m.at} title={utcText(m.at)}>
              {timeText(m.at)}
            </time>{' '}
            <span className="dim">{Date.parse(m.at) > now ? `+${durationText((Date.parse(m.at) - now) / 1000)}` : ''}</span>
          </li>
        ))}
      </ol>
    </div>
  )
}
