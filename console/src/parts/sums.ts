// Exact sums of the API's decimal strings: for totals of what a table shows.
export function sum(amounts: string[]): string {
  let places = 0
  for (const a of amounts) places = Math.max(places, (a.split('.')[1] ?? '').length)
  let total = 0n
  for (const a of amounts) {
    const negative = a.startsWith('-')
    const [whole = '0', fraction = ''] = a.replace('-', '').split('.')
    const units = BigInt((whole || '0') + fraction.padEnd(places, '0'))
    total += negative ? -units : units
  }
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, '0')
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits
  return total < 0n ? `-${text}` : text
}
