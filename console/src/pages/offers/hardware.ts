// What a SKU is, beyond what the offer says: its generation; and what the price books ask for it.
import type { Schemas } from '../../api/client'

export type Offer = Schemas['Offer']
export type PriceBook = Schemas['PriceBookView']

const generations: [RegExp, string][] = [
  [/^(gb|b)[23]00/, 'Blackwell'],
  [/^(gh200|h[12]00)/, 'Hopper'],
  [/^(l4|l40|l40s)(-|$)/, 'Ada Lovelace'],
  [/^(a100|a40|a30|a16|a10|a[2456]000|rtx-?a)/, 'Ampere'],
  [/^(t4|rtx-?[4568]000)/, 'Turing'],
  [/^(v100)/, 'Volta'],
  [/^(p100|p40|p4)(-|$)/, 'Pascal'],
]

// GPUs before CPUs, the dearest first.
export function inOrder(offers: Offer[]): Offer[] {
  return [...offers].sort(
    (a, b) => Number(b.gpus_per_node > 0) - Number(a.gpus_per_node > 0) || Number(b.on_demand_usd_per_gpu_hour) - Number(a.on_demand_usd_per_gpu_hour),
  )
}

// Without what the mark beside it says.
export function descriptionOf(o: Offer): string {
  return o.description.replace(' (emulated)', '')
}

export function generationOf(sku: string): string {
  return generations.find(([name]) => name.test(sku))?.[1] ?? ''
}

// A contract's price of a GPU-hour, or of a vCPU-hour for `cpu`, from so many months on.
export interface TermPrice {
  months: number
  amount: string // exact decimal
}

// From the books in force: the org's own before the public one, in the currency that offers have.
export function termPrices(books: PriceBook[], sku: string, currency: string): TermPrice[] {
  const meter = sku === 'cpu' ? 'cpu_vcpu' : 'gpu'
  const inForce = books
    .filter((b) => b.state === 'in_force' && b.currency === currency)
    .sort((a, b) => Number(!!b.org) - Number(!!a.org))
  const found = new Map<number, string>()
  for (const book of inForce)
    for (const rule of book.rules ?? []) {
      if (rule.meter !== meter || !rule.term_months || rule.site || rule.job_class || (rule.sku ?? sku) !== sku) continue
      const amount = hourly(rule.price)
      if (amount && !found.has(rule.term_months)) found.set(rule.term_months, amount)
    }
  return [...found].map(([months, amount]) => ({ months, amount })).sort((a, b) => a.months - b.months)
}

// Ticks for each second of a whole GPU or vCPU are ten-thousandths of a dollar an hour.
function hourly(price: Schemas['PriceFunction']): string | null {
  const only = price.tiers?.[0]
  if (price.kind !== 'per_unit' || price.per !== 1000 || !only || only.flat !== 0) return null
  const digits = String(only.price).padStart(5, '0')
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`
}

// "h100:8x4": 8 in each of 4 nodes.
export function sizeOf(gpus: string): { n: number; nodes: number } {
  const [, n, nodes] = /:(\d+)(?:x(\d+))?$/.exec(gpus) ?? []
  return { n: Number(n ?? 0), nodes: Number(nodes ?? 1) }
}
