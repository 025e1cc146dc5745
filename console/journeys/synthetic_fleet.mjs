// A fleet that is not there, of any size, whose GPUs change state so many times a second: what the
// console is measured against (fleet.bench.mjs). As GET /v1/fleet and /v1/fleet/live say it.

const letters = '.rosh'

// A generator that gives the same for the same seed.
function dice(seed) {
  let s = seed >>> 0 || 1
  return (below) => {
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    return (s >>> 0) % below
  }
}

export class SyntheticFleet {
  constructor(gpus, { sites = 3, perNode = 8, perRack = 4, seed = 7 } = {}) {
    const nodes = Math.ceil(gpus / perNode)
    const racks = Math.ceil(nodes / perRack)
    this.roll = dice(seed)
    this.perNode = perNode
    this.map = {
      sites: Array.from({ length: sites }, (_, i) => `site-${i + 1}`),
      racks: Array.from({ length: racks }, (_, i) => `rack-${i + 1}`),
      skus: ['h100', 'b200'],
      nodes: Array.from({ length: nodes }, (_, i) => `node-${i + 1}`),
      rack: Array.from({ length: nodes }, (_, i) => Math.floor(i / perRack)),
      site: Array.from({ length: nodes }, (_, i) => Math.floor((Math.floor(i / perRack) * sites) / racks)),
      sku: Array.from({ length: nodes }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      gpus: Array.from({ length: nodes }, () => perNode),
      emulated: [0, 1],
    }
    this.nodes = Array.from({ length: nodes }, () => (this.roll(60) === 0 ? 'c' : this.roll(80) === 0 ? 'm' : 'a'))
    this.gpus = Array.from({ length: nodes * perNode }, () => letters[this.roll(letters.length)])
    this.sequence = 1
  }
  everything() {
    return { sequence: this.sequence, nodes: this.nodes.join(''), gpus: this.gpus.join('') }
  }
  // `n` GPUs become something else: the event that says so.
  change(n) {
    const touched = new Set()
    for (let i = 0; i < n; i++) {
      const g = this.roll(this.gpus.length)
      this.gpus[g] = letters[(letters.indexOf(this.gpus[g]) + 1 + this.roll(letters.length - 1)) % letters.length]
      touched.add(Math.floor(g / this.perNode))
    }
    this.sequence += 1
    const changes = [...touched].map((node) => ({
      node,
      state: this.nodes[node],
      gpus: this.gpus.slice(node * this.perNode, (node + 1) * this.perNode).join(''),
    }))
    return { sequence: this.sequence, changes }
  }
}
