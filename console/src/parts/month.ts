// "2026-11", `back` months before this one, in UTC: months are those of invoices.
export function monthText(now: Date, back = 0): string {
  const d = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1))
  return d.toISOString().slice(0, 7)
}
