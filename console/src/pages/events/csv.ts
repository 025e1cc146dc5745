// Rows as CSV (RFC 4180), and any text as a file.

export function csvOf(head: string[], rows: (string | number | undefined | null)[][]): string {
  return [head, ...rows].map((row) => row.map(field).join(',')).join('\r\n') + '\r\n'
}

// A cell that a spreadsheet would take for a formula is text.
function field(value: string | number | undefined | null): string {
  if (value === undefined || value === null) return ''
  let text = String(value)
  if (typeof value === 'string' && /^[=+\-@\t]/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function download(name: string, text: string, type = 'text/csv') {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const a = document.createElement('a')
  a.href = address
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
