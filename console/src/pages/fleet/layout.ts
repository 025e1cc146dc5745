// Where everything stands in the picture, in units of one GPU's cell: sites as blocks, racks in them
// in rows, a rack's nodes under each other, a node's GPUs side by side. Pure geometry.
import type { Fleet } from './model'

export interface Box {
  x: number
  y: number
  w: number
  h: number
}
export interface View {
  x: number // the unit at the left edge
  y: number
  scale: number // pixels a unit
}

export const pitch = 1.35 // from node to node
const rack_gap = 1
const rack_head = 1.1 // room for its name above it
const column_gap = 0.6
const tallest = 18 // nodes of one rack in one column; more stand beside each other
const site_gap = 3

export interface Layout {
  width: number
  height: number
  rack: Box[] // by rack
  site: Box[] // by site; h 0: it has no racks
  head: number // height of a site's name above its racks
  rows: Uint32Array // by rack: nodes in a column
  columnWidth: Float32Array // by rack
  place: Uint32Array // by node: which of its rack
}

// As large as it can be in a window of this form.
export function layout(fleet: Fleet, windowWidth: number, windowHeight: number): Layout {
  const racks = fleet.racks.length
  const l: Layout = {
    width: 1,
    height: 1,
    rack: Array.from({ length: racks }, () => ({ x: 0, y: 0, w: 0, h: 0 })),
    site: fleet.sites.map(() => ({ x: 0, y: 0, w: 0, h: 0 })),
    head: 0,
    rows: new Uint32Array(racks),
    columnWidth: new Float32Array(racks),
    place: new Uint32Array(fleet.nodes.length),
  }
  let area = 1
  let widest = 1
  fleet.racks.forEach((r, i) => {
    let gpus = 1
    r.nodes.forEach((n, p) => {
      l.place[n] = p
      gpus = Math.max(gpus, fleet.gpusOf(n))
    })
    const rows = r.nodes.length <= tallest ? r.nodes.length : Math.ceil(Math.sqrt((r.nodes.length * (gpus + column_gap)) / pitch))
    const columns = Math.ceil(r.nodes.length / Math.max(1, rows))
    l.rows[i] = rows
    l.columnWidth[i] = gpus
    const box = l.rack[i]!
    box.w = columns * (gpus + column_gap) - column_gap
    box.h = rows * pitch
    area += (box.w + rack_gap) * (box.h + rack_head + rack_gap)
    widest = Math.max(widest, box.w)
  })
  const scale = Math.sqrt((windowWidth * windowHeight) / area)
  l.head = Math.min(26 / scale, 40)
  const form = windowWidth / windowHeight
  let low = widest
  let high = Math.max(widest, Math.sqrt(area) * 40)
  for (let i = 0; i < 24; i++) {
    const wrap = (low + high) / 2
    flow(fleet, l, wrap)
    if (l.width / l.height > form) high = wrap
    else low = wrap
  }
  flow(fleet, l, high)
  return l
}

function flow(fleet: Fleet, l: Layout, wrap: number) {
  const bySite: number[][] = fleet.sites.map(() => [])
  fleet.racks.forEach((r, i) => r.nodes.length && bySite[r.site]!.push(i))
  let shelfX = 0
  let shelfY = 0
  let shelfH = 0
  l.width = 1
  bySite.forEach((racks, s) => {
    const site = l.site[s]!
    if (racks.length === 0) return
    // At the origin first, then moved to its place on the shelf.
    let x = 0
    let y = l.head
    let row = 0
    let w = 0
    for (const r of racks) {
      const box = l.rack[r]!
      if (x > 0 && x + box.w > wrap) {
        x = 0
        y += row + rack_gap
        row = 0
      }
      box.x = x
      box.y = y + rack_head
      x += box.w + rack_gap
      row = Math.max(row, box.h + rack_head)
      w = Math.max(w, x - rack_gap)
    }
    site.w = w
    site.h = y + row
    if (shelfX > 0 && shelfX + w > wrap) {
      shelfX = 0
      shelfY += shelfH + site_gap
      shelfH = 0
    }
    site.x = shelfX
    site.y = shelfY
    for (const r of racks) {
      l.rack[r]!.x += shelfX
      l.rack[r]!.y += shelfY
    }
    shelfX += w + site_gap
    shelfH = Math.max(shelfH, site.h)
    l.width = Math.max(l.width, shelfX - site_gap)
  })
  l.height = Math.max(1, shelfY + shelfH)
}

export function nodeBox(fleet: Fleet, l: Layout, node: number): Box {
  const r = fleet.rack[node]!
  const rack = l.rack[r]!
  const rows = l.rows[r]!
  const place = l.place[node]!
  return {
    x: rack.x + Math.floor(place / rows) * (l.columnWidth[r]! + column_gap),
    y: rack.y + (place % rows) * pitch,
    w: Math.max(1, fleet.gpusOf(node)),
    h: 1,
  }
}

export interface Hit {
  rack: number
  node: number // -1: beside its nodes
  gpu: number // of the node; -1
}

export function hit(fleet: Fleet, l: Layout, x: number, y: number): Hit | null {
  for (let r = 0; r < l.rack.length; r++) {
    const box = l.rack[r]!
    if (x < box.x || y < box.y || x >= box.x + box.w || y >= box.y + box.h) continue
    const rows = l.rows[r]!
    const column = Math.floor((x - box.x) / (l.columnWidth[r]! + column_gap))
    const place = column * rows + Math.min(rows - 1, Math.floor((y - box.y) / pitch))
    const node = fleet.racks[r]!.nodes[place]
    if (node === undefined) return { rack: r, node: -1, gpu: -1 }
    const gpu = Math.floor(x - box.x - column * (l.columnWidth[r]! + column_gap))
    return { rack: r, node, gpu: gpu < fleet.gpusOf(node) ? gpu : -1 }
  }
  return null
}

// The node that an arrow key leads to: the next of the rack, else the nearest rack's that way.
export function neighbour(fleet: Fleet, l: Layout, node: number, dx: number, dy: number): number {
  const r = fleet.rack[node]!
  const rows = l.rows[r]!
  const place = l.place[node]!
  if (dy) {
    const next = place + dy
    const sameColumn = Math.floor(next / rows) === Math.floor(place / rows)
    const found = sameColumn ? fleet.racks[r]!.nodes[next] : undefined
    if (found !== undefined) return found
  } else {
    const found = fleet.racks[r]!.nodes[place + dx * rows]
    if (found !== undefined) return found
  }
  const from = nodeBox(fleet, l, node)
  const fx = from.x + from.w / 2
  const fy = from.y + 0.5
  let best = -1
  let least = Infinity
  l.rack.forEach((box, i) => {
    if (i === r || fleet.racks[i]!.nodes.length === 0) return
    // The nearest point of that rack.
    const ax = Math.min(Math.max(fx, box.x), box.x + box.w) - fx
    const ay = Math.min(Math.max(fy, box.y), box.y + box.h) - fy
    const along = ax * dx + ay * dy
    if (along <= 0.2) return
    const across = Math.abs(dx ? ay : ax)
    const d = along + 3 * across
    if (d < least) {
      least = d
      best = i
    }
  })
  if (best < 0) return node
  const box = l.rack[best]!
  const x = Math.min(Math.max(fx, box.x), box.x + box.w - 0.01)
  const y = Math.min(Math.max(fy, box.y), box.y + box.h - 0.01)
  const there = hit(fleet, l, x, y)
  return there && there.node >= 0 ? there.node : fleet.racks[best]!.nodes[0]!
}

// ---- what is seen of it ----

export const largest = 64 // pixels a unit

export function fit(l: Layout, width: number, height: number): View {
  const margin = 8
  const scale = Math.min((width - 2 * margin) / l.width, (height - 2 * margin) / l.height, 30)
  return { x: -margin / scale, y: -margin / scale, scale }
}

// Zoomed by `by` around a point of the window, between the whole and `largest`.
export function zoom(view: View, l: Layout, width: number, height: number, by: number, px: number, py: number): View {
  const least = fit(l, width, height).scale
  const scale = Math.min(Math.max(least, largest), Math.max(least, view.scale * by))
  return { x: view.x + px / view.scale - px / scale, y: view.y + py / view.scale - py / scale, scale }
}

// So that something is always in sight.
export function held(view: View, l: Layout, width: number, height: number): View {
  const keep = (at: number, size: number, window: number) =>
    window >= size ? Math.min(0.5 * (window - size), Math.max(size - window, at, -8 / view.scale)) : Math.min(Math.max(at, -0.25 * window), size - 0.75 * window)
  const w = width / view.scale
  const h = height / view.scale
  return { scale: view.scale, x: keep(view.x, l.width, w), y: keep(view.y, l.height, h) }
}

export function around(box: Box, width: number, height: number, scale: number): View {
  return { x: box.x + box.w / 2 - width / scale / 2, y: box.y + box.h / 2 - height / scale / 2, scale }
}
