// The fleet in memory: who stands where (FleetMap), and what each node and GPU does (FleetEvent), in
// typed arrays. Nothing here knows of React, canvas or the network.
// 1. apply() marks what changed; takeDirty() gives each node once since it was last asked.
// 2. counts is always the sum over all GPUs' cells.
import type { Schemas } from '../../api/client'
import { active, gpuCode, kept_code, kinds, leased, moving, nodeCode, type Kind } from './letters'

// Of the wire, where empty lists and false are left out.
export type FleetMap = Partial<Schemas['FleetMap']>
export type FleetEvent = Partial<Schemas['FleetEvent']>

export interface Rack {
  site: number
  name: string
  nodes: Uint32Array
}

export type Tally = { gpus: number; nodes: number; by: Uint32Array } // `by`: GPUs by kind

export class Fleet {
  readonly nodes: string[]
  readonly sites: string[]
  readonly skus: string[]
  readonly racks: Rack[]
  readonly site: Uint32Array // these by node
  readonly rack: Uint32Array
  readonly sku: Uint32Array
  readonly first: Uint32Array // its first GPU; one more at the end
  readonly emulated: Uint8Array // by SKU
  readonly nodeState: Uint8Array // code of letters.ts, or `active`
  readonly gpuState: Uint8Array // code
  readonly counts = new Uint32Array(kinds.length)
  sequence = 0
  seen = false // an event with everything came
  private readonly dirty: Uint8Array
  private readonly dirtyNodes: Uint32Array
  private dirtyCount = 0
  private allDirty = true

  constructor(map: FleetMap) {
    this.nodes = map.nodes ?? []
    this.sites = map.sites ?? []
    this.skus = map.skus ?? []
    this.site = Uint32Array.from(map.site ?? [])
    this.rack = Uint32Array.from(map.rack ?? [])
    this.sku = Uint32Array.from(map.sku ?? [])
    const n = this.nodes.length
    this.first = new Uint32Array(n + 1)
    const gpus = map.gpus ?? []
    for (let i = 0; i < n; i++) this.first[i + 1] = this.first[i]! + (gpus[i] ?? 0)
    this.emulated = new Uint8Array(this.skus.length)
    for (const k of map.emulated ?? []) this.emulated[k] = 1
    this.racks = racksOf(map.racks ?? [], this.site, this.rack)
    this.nodeState = new Uint8Array(n).fill(active)
    this.gpuState = new Uint8Array(this.first[n]!)
    this.dirty = new Uint8Array(n)
    this.dirtyNodes = new Uint32Array(n)
    this.recount()
  }

  get gpus(): number {
    return this.gpuState.length
  }

  gpusOf(node: number): number {
    return this.first[node + 1]! - this.first[node]!
  }

  // False: it is of other nodes than these; the map is to be fetched again.
  apply(e: FleetEvent): boolean {
    this.sequence = e.sequence ?? this.sequence
    if (e.nodes !== undefined && e.nodes !== null) {
      const gpus = e.gpus ?? ''
      if (e.nodes.length !== this.nodes.length || gpus.length !== this.gpus) return false
      for (let i = 0; i < e.nodes.length; i++) this.nodeState[i] = nodeCode[e.nodes.charCodeAt(i) & 127]!
      for (let i = 0; i < gpus.length; i++) this.gpuState[i] = gpuCode[gpus.charCodeAt(i) & 127]!
      this.recount()
      this.allDirty = true
      this.seen = true
    }
    for (const c of e.changes ?? []) if (!this.change(c.node ?? 0, c.state, c.gpus ?? '')) return false
    return true
  }

  private change(node: number, state: string, gpus: string): boolean {
    if (node >= this.nodes.length || gpus.length !== this.gpusOf(node)) return false
    this.tally(node, this.counts, -1)
    this.nodeState[node] = nodeCode[state.charCodeAt(0) & 127]!
    for (let i = 0, g = this.first[node]!; i < gpus.length; i++, g++) this.gpuState[g] = gpuCode[gpus.charCodeAt(i) & 127]!
    this.tally(node, this.counts, 1)
    if (!this.dirty[node]) {
      this.dirty[node] = 1
      this.dirtyNodes[this.dirtyCount++] = node
    }
    return true
  }

  // What a GPU shows: nobody has it, and its node takes no work → that.
  cell(node: number, gpu: number): number {
    const own = this.gpuState[gpu]!
    const state = this.nodeState[node]!
    return state !== active && own <= kept_code ? state : own
  }

  // 'all', or the nodes that changed.
  takeDirty(): 'all' | Uint32Array {
    const taken = this.allDirty ? 'all' : this.dirtyNodes.slice(0, this.dirtyCount)
    for (let i = 0; i < this.dirtyCount; i++) this.dirty[this.dirtyNodes[i]!] = 0
    this.dirtyCount = 0
    this.allDirty = false
    return taken
  }

  tallyOf(nodes: Iterable<number>): Tally {
    const t: Tally = { gpus: 0, nodes: 0, by: new Uint32Array(kinds.length) }
    for (const n of nodes) {
      t.nodes += 1
      t.gpus += this.gpusOf(n)
      this.tally(n, t.by, 1)
    }
    return t
  }

  // Nodes whose name, rack, site or kind has every word of it; at most `most`.
  search(text: string, most = 2000): number[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    if (words.length === 0) return []
    const rack = this.racks.map((r) => `${r.name} ${this.sites[r.site]}`.toLowerCase())
    const sku = this.skus.map((s) => s.toLowerCase())
    const found: number[] = []
    for (let n = 0; n < this.nodes.length && found.length < most; n++) {
      const name = this.nodes[n]!.toLowerCase()
      if (words.every((w) => name.includes(w) || rack[this.rack[n]!]!.includes(w) || sku[this.sku[n]!]!.includes(w))) found.push(n)
    }
    return found
  }

  private tally(node: number, into: Uint32Array, by: number) {
    for (let g = this.first[node]!; g < this.first[node + 1]!; g++) into[this.cell(node, g) & (moving - 1)]! += by
  }

  private recount() {
    this.counts.fill(0)
    for (let n = 0; n < this.nodes.length; n++) this.tally(n, this.counts, 1)
  }
}

export function countOf(t: { by: Uint32Array }, kind: Kind): number {
  return t.by[kinds.indexOf(kind)]!
}

export function leasedOf(t: { by: Uint32Array }): number {
  return leased.reduce((sum, k) => sum + countOf(t, k), 0)
}

function racksOf(names: string[], site: Uint32Array, rack: Uint32Array): Rack[] {
  const count = new Uint32Array(names.length)
  for (const r of rack) count[r]! += 1
  const racks: Rack[] = names.map((name, r) => ({ site: 0, name, nodes: new Uint32Array(count[r]!) }))
  count.fill(0)
  rack.forEach((r, n) => {
    racks[r]!.nodes[count[r]!++] = n
    racks[r]!.site = site[n]!
  })
  return racks
}
