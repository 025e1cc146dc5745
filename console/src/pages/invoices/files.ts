// Where an invoice's files are.
import { address, Problem } from '../../api/client'

export type Format = 'pdf' | 'ubl' | 'csv'

export function documentOf(number: string, format: Format): string {
  return address('/v1/invoices/{invoice}/document', { path: { invoice: number }, query: { format } })
}

// UBL is refused where something that its rules want is missing: said on the page, not saved as a file.
export async function takeUbl(number: string) {
  const answer = await fetch(documentOf(number, 'ubl'))
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await answer.blob())
  link.download = `invoice-${number}.xml`
  link.click()
  URL.revokeObjectURL(link.href)
}
