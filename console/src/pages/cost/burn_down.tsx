// Credit from now to nothing at the present rate: a line that says when.
import { moneyText } from '../../parts/money'
import { useNow } from '../../parts/clock'
import { language, t } from '../../text/text'

const most_days = 60

export function BurnDownChart({ left, perHour, currency }: { left: number; perHour: number; currency: string }) {
  const now = useNow()
  const hours = Math.min(left / perHour, most_days * 24)
  const at = new Date(now + hours * 3_600_000)
  const rest = Math.max(0, left - perHour * hours)
  const day = (d: Date) => d.toLocaleDateString(language(), { month: 'short', day: 'numeric' })
  const y = (v: number) => 6 + 52 * (1 - v / Math.max(left, 1e-9))
  return (
    <svg className="burn" viewBox="0 0 300 80" role="img" aria-label={t('cost.burnDown', { from: moneyText(String(left.toFixed(2)), currency, 2), at: day(at), to: moneyText(rest.toFixed(2), currency, 2) })}>
      <path d={`M0 58 V${y(left)} L300 ${y(rest)} V58 Z`} className="burn-area" />
      <path d={`M0 ${y(left)} L300 ${y(rest)}`} className="burn-line" />
      <path d="M0 58 H300" className="burn-axis" />
      <text x="0" y="74">
        {t('time.now')} · {moneyText(left.toFixed(2), currency, 0)}
      </text>
      <text x="300" y="74" textAnchor="end">
        {day(at)} · {moneyText(rest.toFixed(2), currency, 0)}
      </text>
    </svg>
  )
}
