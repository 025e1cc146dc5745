// Times, in the viewer's zone with UTC on hover; and how long things take.
import { instantText, unitText } from '../text/formats'
import { t } from '../text/text'
import { useNow } from './clock'

const units: [string, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

// "2 h 14 min": the two largest units, in the viewer's language.
export function durationText(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds))
  const parts: string[] = []
  for (const [unit, size] of units) {
    const n = Math.floor(rest / size)
    if (n === 0 && !(unit === 'second' && parts.length === 0)) {
      if (parts.length) break
      continue
    }
    parts.push(unitText(n, unit))
    rest -= n * size
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

// As the API takes it, in its largest whole unit: 604800 → "7d".
export function shortDuration(seconds: number): string {
  const [unit, size] = units.find(([, n]) => seconds >= n && seconds % n === 0) ?? ['second', 1]
  return `${seconds / size}${unit[0]}`
}

export function utcText(at: string): string {
  return t('time.utc', { at: new Date(at).toISOString().replace('T', ' ').slice(0, 19) })
}

export function timeText(at: string): string {
  const then = new Date(at)
  return instantText(then, new Date().toDateString() === then.toDateString())
}

// The instant itself.
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcText(at)}>
      {timeText(at)}
    </time>
  )
}

// How long ago, or until then; goes on by itself.
export function Ago({ at }: { at: string }) {
  const seconds = (useNow() - Date.parse(at)) / 1000
  const d = durationText(Math.abs(seconds))
  const text = Math.abs(seconds) < 1 ? t('time.now') : seconds > 0 ? t('time.ago', { d }) : t('time.in', { d })
  return (
    <time dateTime={at} title={`${timeText(at)} · ${utcText(at)}`}>
      {text}
    </time>
  )
}

// From `from` until `until`, or until now and going on.
export function Duration({ from, until }: { from: string; until?: string | null }) {
  return until ? <Lasted from={from} until={Date.parse(until)} /> : <Lasts from={from} />
}
function Lasts({ from }: { from: string }) {
  return <Lasted from={from} until={useNow()} />
}
function Lasted({ from, until }: { from: string; until: number }) {
  return <span title={`${timeText(from)} · ${utcText(from)}`}>{durationText((until - Date.parse(from)) / 1000)}</span>
}
