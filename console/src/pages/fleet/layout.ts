// Where every card of a fleet is drawn: sites below each other, in each its racks side by side, in a
// rack its nodes below each other, in a node its cards in rows of four. In units, a card being
// `card` wide; the picture of all units is stretched to the screen (picture.ts).
import type { Schemas } from '../../api/client'

export type FleetMap = Schemas['FleetMap']

export const card = 2
const across = 4 // cards in a row of a node
const node_w = across * card
const node_gap = 1
const rack_gap = 3
const site_gap = 6
const label_h = 14 // above a site: its name
const nodes_in_nameless_rack = 16

export interface Layout {
  width: number
  height: number
  x: Int32Array // of each node
  y: Int32Array
  h: Int32Array // heights of nodes
  firstGpu: Uint32Array // by node, and one past the last
  sites: { name: string; x: number; y: number; w: number; h: number; nodes: number; gpus: number }[]
}

const rowsOf = (gpus: number) => Math.max(1, Math.ceil(gpus / across))
const nodeHeight = (gpus: number) => rowsOf(gpus) * card

interface Rack {
  nodes: number[]
  h: number
}

function racksOf(map: FleetMap): Rack[][] {
  const sites: Rack[][] = map.sites?.map(() => []) ?? []
  const racks = new Map<string, Rack>()
  map.nodes?.forEach((_, n) => {
    const site = map.site![n]!
    const rack = map.rack![n]!
    const key = `${site} ${rack}`
    let r = racks.get(key)
    const nameless = map.racks![rack] === ''
    if (!r || (nameless && r.nodes.length >= nodes_in_nameless_rack)) {
      r = { nodes: [], h: 0 }
      racks.set(key, r)
      sites[site]!.push(r)
    }
    r.nodes.push(n)
    r.h += nodeHeight(map.gpus![n]!) + node_gap
  })
  return sites
}

// Racks flow from left to right, as text does; returns the height.
function flow(racks: Rack[], top: number, width: number, put?: (rack: Rack, x: number, y: number) => void): number {
  let x = 0
  let y = top
  let line = 0
  for (const rack of racks) {
    if (x > 0 && x + node_w > width) {
      x = 0
      y += line + rack_gap
      line = 0
    }
    put?.(rack, x, y)
    x += node_w + rack_gap
    line = Math.max(line, rack.h)
  }
  return y + line
}

function heightAt(sites: Rack[][], width: number): number {
  return sites.reduce((y, racks) => flow(racks, y + label_h, width) + site_gap, 0)
}

// As wide as fits a screen of this shape (width / height).
export function layOut(map: FleetMap, aspect: number): Layout {
  const sites = racksOf(map)
  let low = node_w
  let high = Math.max(node_w, ...sites.map((r) => r.length * (node_w + rack_gap)))
  while (low < high) {
    const middle = (low + high) >> 1
    if (middle / heightAt(sites, middle) >= aspect) high = middle
    else low = middle + 1
  }
  const count = map.nodes?.length ?? 0
  const l: Layout = {
    width: low,
    height: Math.max(1, heightAt(sites, low)),
    x: new Int32Array(count),
    y: new Int32Array(count),
    h: new Int32Array(count),
    firstGpu: new Uint32Array(count + 1),
    sites: [],
  }
  for (let n = 0; n < count; ++n) l.firstGpu[n + 1] = l.firstGpu[n]! + map.gpus![n]!
  let y = 0
  sites.forEach((racks, s) => {
    const top = y
    const at = { nodes: 0, gpus: 0 }
    const bottom = flow(racks, y + label_h, low, (rack, x, rackY) => {
      let nodeY = rackY
      for (const n of rack.nodes) {
        l.x[n] = x
        l.y[n] = nodeY
        l.h[n] = nodeHeight(map.gpus![n]!)
        nodeY += l.h[n]! + node_gap
        at.nodes += 1
        at.gpus += map.gpus![n]!
      }
    })
    l.sites.push({ name: map.sites![s]!, x: 0, y: top, w: low, h: bottom - top, ...at })
    y = bottom + site_gap
  })
  return l
}

export function gpuPlace(l: Layout, node: number, gpu: number): [number, number] {
  return [l.x[node]! + (gpu % across) * card, l.y[node]! + Math.floor(gpu / across) * card]
}

// Which node is there; a search by lines would be quicker, but a pointer is slow.
export function nodeAt(l: Layout, x: number, y: number): number {
  for (let n = 0; n < l.x.length; ++n) {
    const dx = x - l.x[n]!
    const dy = y - l.y[n]!
    if (dx >= 0 && dx < node_w && dy >= 0 && dy < l.h[n]!) return n
  }
  return -1
}

export const nodeWidth = node_w
