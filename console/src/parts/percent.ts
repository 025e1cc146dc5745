import { language } from '../text/text'

// A share of one, as the language writes it: 0.281 is 28.1%.
export function percent(share: number): string {
  return share.toLocaleString(language(), { style: 'percent', maximumFractionDigits: 1 })
}
