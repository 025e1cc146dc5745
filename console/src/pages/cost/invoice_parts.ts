// Where an invoice's files are.
import { address } from '../../api/client'

export type Format = 'pdf' | 'ubl' | 'csv'

export function documentOf(number: string, format: Format): string {
  return address('/v1/invoices/{invoice}/document', { path: { invoice: number }, query: { format } })
}
