// A price book as fields to edit, and as the YAML that the API takes (src/api/price_file.h). What the
// fields cannot say stands as rules, each a line of YAML. Money is decimal text throughout.
import type { Schemas } from '../../api/client'

type View = Schemas['PriceBookView']
type Rule = Schemas['PriceRuleView']

export interface GpuPrice {
  sku: string
  on_demand: string
  spot: string
}
export interface Draft {
  name: string
  org: string
  currency: string
  from: string // local time of an input, or empty: now
  gpus: GpuPrice[]
  vcpu: string // beside a GPU, an hour
  gib: string
  cpu_vcpu: string // of work without GPUs
  cpu_gib: string
  rules: string
}

export const emptyDraft: Draft = { name: '', org: '', currency: '', from: '', gpus: [{ sku: 'h100', on_demand: '', spot: '' }], vcpu: '', gib: '', cpu_vcpu: '', cpu_gib: '', rules: '' }

const lease_meters = ['gpu', 'vcpu', 'memory', 'cpu_vcpu', 'cpu_memory']
const month_s = 2_628_000
const ticks_a_dollar = 36_000_000n

// Ticks a second as a price an hour (four decimals, exact), or ticks as money.
function decimal(units: bigint, places: number): string {
  const digits = units.toString().padStart(places + 1, '0')
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/0+$/, '').replace(/\.$/, '')
}
export function hourly(ticks: number): string {
  return decimal(BigInt(ticks), 4)
}
export function money(ticks: number): string {
  return decimal((BigInt(ticks) * 100_000_000n) / ticks_a_dollar, 8)
}

function plainHourly(r: Rule): string | null {
  const p = r.price
  const tier = p.tiers?.[0]
  const plain =
    r.meter !== undefined && lease_meters.includes(r.meter) && p.kind === 'per_unit' && (p.per === 1000 || p.per === 1024) && p.tiers?.length === 1 &&
    tier !== undefined && !tier.flat && !p.free && !p.minimum && !p.maximum && !p.package
  return plain ? hourly(tier.price) : null
}

// What one may begin with: the book as it is.
export function draftOf(book: View): Draft {
  const draft: Draft = { ...emptyDraft, name: book.name, org: book.org ?? '', currency: book.currency, gpus: [], rules: '' }
  const rest: string[] = []
  const spots = new Map<string, string>()
  for (const r of book.rules ?? []) {
    const price = plainHourly(r)
    const wide = !r.site && !r.term_months
    if (price !== null && wide && r.meter === 'gpu' && r.sku && !r.job_class) draft.gpus.push({ sku: r.sku, on_demand: price, spot: '' })
    else if (price !== null && wide && r.meter === 'gpu' && r.sku && r.job_class === 'spot') spots.set(r.sku, price)
    else if (price !== null && wide && !r.sku && !r.job_class && r.meter === 'vcpu') draft.vcpu = price
    else if (price !== null && wide && !r.sku && !r.job_class && r.meter === 'memory') draft.gib = price
    else if (price !== null && wide && !r.sku && !r.job_class && r.meter === 'cpu_vcpu') draft.cpu_vcpu = price
    else if (price !== null && wide && !r.sku && !r.job_class && r.meter === 'cpu_memory') draft.cpu_gib = price
    else rest.push(ruleYaml(r))
  }
  for (const [sku, spot] of spots) {
    const row = draft.gpus.find((g) => g.sku === sku)
    if (row) row.spot = spot
    else rest.push(`{meter: gpu, sku: ${sku}, job_class: spot, price: ${spot}}`)
  }
  draft.rules = rest.join('\n')
  return draft
}

function ruleYaml(r: Rule): string {
  const p = r.price
  const lease = lease_meters.includes(r.meter)
  const smallest = lease ? (r.meter === 'memory' || r.meter === 'cpu_memory' ? 1024 : 1000) : 1_000_000
  const isHourly = lease && (p.per === 1000 || p.per === 1024)
  const quantity = (units: number) => decimal((BigInt(units) * 10_000n) / BigInt(smallest * (lease ? 3600 : 1)), 4)
  const price = (ticks: number) => (isHourly && p.kind !== 'package' ? hourly(ticks) : money(ticks))
  const parts = [`meter: ${r.meter}`]
  if (r.sku) parts.push(`sku: ${r.sku}`)
  if (r.site) parts.push(`site: ${r.site}`)
  if (r.job_class) parts.push(`job_class: ${r.job_class}`)
  if (r.term_months) parts.push(`term: ${r.term_months}`)
  if (lease && p.per === smallest * month_s) parts.push('per: month')
  else if (!lease && p.per !== 1_000_000) parts.push(`per: ${p.per / 1_000_000}`)
  const tiers = p.tiers ?? []
  const only = tiers[0]
  if (tiers.length === 1 && only && p.kind !== 'graduated' && p.kind !== 'volume') {
    if (p.kind === 'package') parts.push(`package: ${quantity(p.package)}`)
    if (p.free) parts.push(`free: ${quantity(p.free)}`)
    parts.push(`price: ${price(only.price)}`)
    if (only.flat) parts.push(`flat: ${money(only.flat)}`)
  } else {
    parts.push(`kind: ${p.kind}`)
    const text = tiers.map((x) => `{${[x.up_to ? `up_to: ${quantity(x.up_to)}` : '', `price: ${price(x.price)}`, x.flat ? `flat: ${money(x.flat)}` : ''].filter(Boolean).join(', ')}}`)
    parts.push(`tiers: [${text.join(', ')}]`)
  }
  if (p.minimum) parts.push(`minimum: ${money(p.minimum)}`)
  if (p.maximum) parts.push(`maximum: ${money(p.maximum)}`)
  return `{${parts.join(', ')}}`
}

export type Wrong = { field: string; key: 'prices.wrong.price' | 'prices.wrong.sku' | 'prices.wrong.twice' | 'prices.wrong.name' | 'prices.wrong.both' | 'prices.wrong.none' }

const price_form = /^\d{1,5}(\.\d{1,4})?$/

// What is seen to be wrong before it is sent; the server says the rest, by the same fields.
export function wrongIn(d: Draft): Wrong[] {
  const wrong: Wrong[] = []
  const price = (field: string, text: string, required: boolean) => {
    if ((text !== '' || required) && !(price_form.test(text) && Number(text) <= 10_000)) wrong.push({ field, key: 'prices.wrong.price' })
  }
  if (!d.name.trim()) wrong.push({ field: 'name', key: 'prices.wrong.name' })
  const seen = new Set<string>()
  for (const [i, g] of d.gpus.entries()) {
    if (!/^[a-z0-9][a-z0-9._-]*$/.test(g.sku)) wrong.push({ field: `gpus[${i}].sku`, key: 'prices.wrong.sku' })
    else if (seen.has(g.sku)) wrong.push({ field: `gpus[${i}].sku`, key: 'prices.wrong.twice' })
    seen.add(g.sku)
    price(`gpus[${i}].on_demand`, g.on_demand, true)
    price(`gpus[${i}].spot`, g.spot, false)
  }
  const plain = !d.org && !d.rules.trim()
  for (const [a, b] of [['vcpu', 'gib'], ['cpu_vcpu', 'cpu_gib']] as const) {
    price(a, d[a], plain)
    price(b, d[b], plain)
    if (!plain && (d[a] === '') !== (d[b] === '')) wrong.push({ field: d[a] === '' ? a : b, key: 'prices.wrong.both' })
  }
  if (d.gpus.length === 0 && !d.rules.trim()) wrong.push({ field: 'gpus', key: 'prices.wrong.none' })
  return wrong
}

export function yamlOf(d: Draft): string {
  const lines = [`name: ${JSON.stringify(d.name.trim())}`]
  if (d.currency) lines.push(`currency: ${d.currency}`)
  if (d.org) lines.push(`org: ${d.org}`)
  if (d.gpus.length) {
    lines.push('gpus:')
    for (const g of d.gpus) lines.push(`  ${g.sku}: {on_demand: ${g.on_demand}${g.spot ? `, spot: ${g.spot}` : ''}}`)
  }
  if (d.vcpu && d.gib) lines.push(`beside_gpu: {vcpu: ${d.vcpu}, gib: ${d.gib}}`)
  if (d.cpu_vcpu && d.cpu_gib) lines.push(`cpu_only: {vcpu: ${d.cpu_vcpu}, gib: ${d.cpu_gib}}`)
  const rules = d.rules.split('\n').filter((l) => l.trim())
  if (rules.length) {
    lines.push('rules:')
    for (const r of rules) lines.push(`  - ${r.trim().replace(/^-\s*/, '')}`)
  }
  return `${lines.join('\n')}\n`
}

// The API's field of an input: gpus[0].on_demand is gpus.h100.on_demand there.
export function apiField(d: Draft, field: string): string {
  const m = /^gpus\[(\d+)\]\.(\w+)$/.exec(field)
  if (m) return `gpus.${d.gpus[Number(m[1])]?.sku}.${m[2]}`
  return { vcpu: 'beside_gpu.vcpu', gib: 'beside_gpu.gib', cpu_vcpu: 'cpu_only.vcpu', cpu_gib: 'cpu_only.gib' }[field] ?? field
}
