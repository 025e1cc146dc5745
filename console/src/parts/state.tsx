// A state in a word with a dot of its colour; and what marks emulated hardware.
import { t, word } from '../text/text'

const tones: Record<string, 'good' | 'busy' | 'bad' | 'idle' | 'warn'> = {
  running: 'good',
  succeeded: 'good',
  up: 'good',
  active: 'good',
  now: 'good',
  in_force: 'good',
  issued: 'busy',
  maintenance: 'warn',
  paid: 'good',
  on: 'good',
  delivered: 'good',
  waiting: 'warn',
  given_up: 'bad',
  starting: 'busy',
  stopping: 'busy',
  queued: 'warn',
  upcoming: 'warn',
  draining: 'warn',
  cordoned: 'warn',
  open: 'warn',
  failed: 'bad',
  lost: 'bad',
  timed_out: 'bad',
  expired: 'bad',
  overdue: 'bad',
  unknown: 'bad',
}

export function State({ of }: { of: string }) {
  return (
    <span className="state">
      <span className={`dot ${tones[of] ?? 'idle'}`} aria-hidden />
      {word(of)}
    </span>
  )
}

// Wherever hardware or work that is not real is shown.
export function Emulated({ is }: { is?: boolean }) {
  if (!is) return null
  return (
    <abbr className="emulated" title={t('app.emulated.why')}>
      {t('app.emulated')}
    </abbr>
  )
}
