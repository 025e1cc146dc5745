// Money as the exact decimal strings that the API gives: never a float, at any size.
import { numberText } from '../text/formats'

const marks: Record<string, string> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', TWD: 'NT$', CNY: 'CN¥' }

// "1234.5678" → 1,234.57 at two places (rounded half up, by its digits); all places without `places`,
// but never fewer than two.
export function moneyText(amount: string, currency = 'USD', places?: number): string {
  const negative = amount.startsWith('-')
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.')
  let digits = whole
  let rest = fraction.replace(/0+$/, '').padEnd(2, '0')
  if (places !== undefined) {
    const scaled = BigInt(whole + fraction.padEnd(places, '0').slice(0, places))
    const up = (fraction[places] ?? '0') >= '5' ? 1n : 0n
    const text = (scaled + up).toString().padStart(places + 1, '0')
    digits = text.slice(0, text.length - places)
    rest = places ? text.slice(-places) : ''
  }
  const grouped = numberText(BigInt(digits))
  const zero = /^0*$/.test(digits + rest)
  return `${negative && !zero ? '−' : ''}${marks[currency] ?? `${currency} `}${grouped}${rest ? `.${rest}` : ''}`
}

// Two places, the exact amount on hover.
export function Money({ amount, currency, places = 2 }: { amount: string; currency?: string | null; places?: number }) {
  const exact = moneyText(amount, currency ?? 'USD')
  const shown = moneyText(amount, currency ?? 'USD', places)
  return (
    <span className="figures" title={exact === shown ? undefined : exact}>
      {shown}
    </span>
  )
}
