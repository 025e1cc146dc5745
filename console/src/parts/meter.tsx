// How much of a whole is used, as a bar with its parts, a mark, and the same in words for who
// cannot see it.
import './meter.css'

export interface MeterPart {
  percent: number
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'idle'
}

export function Meter({ parts, mark, label }: { parts: MeterPart[]; mark?: number; label: string }) {
  let left = 100
  return (
    <div className="meter" role="img" aria-label={label} title={label}>
      {parts.map((p, i) => {
        const width = Math.min(left, Math.max(0, p.percent))
        left -= width
        return <span key={i} className={`dot ${p.tone}`} style={{ width: `${width}%` }} />
      })}
      {mark !== undefined && <i style={{ insetInlineStart: `${Math.min(100, Math.max(0, mark))}%` }} />}
    </div>
  )
}
