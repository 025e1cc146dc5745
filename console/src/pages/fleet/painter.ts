// The picture's pixels: a buffer of its own, of which only what changed is written anew and put on
// the canvas. What is drawn of the fleet depends on how large it is seen:
//   a GPU's cell ≥ 2 px wide: every GPU · a node ≥ 2 px high: every node, mixed · else every rack.
// 1. Without a new view, the work of a frame is that of what changed. 2. No allocation per frame.
import { active, moving, type Colours } from './letters'
import { nodeBox, pitch, type Layout, type View } from './layout'
import type { Fleet } from './model'

export type Detail = 'gpu' | 'node' | 'rack'

export function detailAt(scale: number): Detail {
  return scale >= 2 ? 'gpu' : scale * pitch >= 2 ? 'node' : 'rack'
}

const most_pieces = 400 // put one by one; more: all at once

export interface Target {
  putImageData(image: ImageData, x: number, y: number, dx?: number, dy?: number, dw?: number, dh?: number): void
}

export class Painter {
  private image: ImageData
  private pixels: Uint32Array
  private readonly cell = new Uint32Array(32) // packed colours by code
  private ground = 0
  private view: View = { x: 0, y: 0, scale: 1 }
  private full = true
  private readonly pieces = new Int32Array(most_pieces * 4)
  private pieceCount = 0
  private readonly lastRack: Uint32Array
  private round = 0

  // `make`: an ImageData; given, so that tests need no browser.
  constructor(
    readonly fleet: Fleet,
    private layout: Layout,
    private colours: Colours,
    private readonly make: (w: number, h: number) => ImageData = (w, h) => new ImageData(w, h),
  ) {
    this.image = make(1, 1)
    this.pixels = new Uint32Array(this.image.data.buffer)
    this.lastRack = new Uint32Array(fleet.racks.length)
    this.pack()
  }

  resize(width: number, height: number, layout: Layout) {
    if (width !== this.image.width || height !== this.image.height) {
      this.image = this.make(Math.max(1, width), Math.max(1, height))
      this.pixels = new Uint32Array(this.image.data.buffer)
    }
    this.layout = layout
    this.full = true
  }

  look(view: View) {
    this.view = view
    this.full = true
  }

  colour(colours: Colours) {
    this.colours = colours
    this.pack()
    this.full = true
  }

  // Everything that changed since, onto the canvas. Returns how much was drawn.
  paint(on: Target): number {
    const dirty = this.fleet.takeDirty()
    if (this.full || dirty === 'all') {
      this.paintAll()
      on.putImageData(this.image, 0, 0)
      this.full = false
      return this.fleet.nodes.length
    }
    if (dirty.length === 0) return 0
    this.pieceCount = 0
    this.round += 1
    const detail = detailAt(this.view.scale)
    for (const n of dirty) {
      if (detail === 'rack') {
        const r = this.fleet.rack[n]!
        if (this.lastRack[r] === this.round) continue
        this.lastRack[r] = this.round
        this.paintRack(r)
      } else {
        this.paintNode(n, detail)
      }
    }
    if (this.pieceCount > most_pieces) on.putImageData(this.image, 0, 0)
    else
      for (let i = 0; i < this.pieceCount; i++) {
        const at = i * 4
        on.putImageData(this.image, 0, 0, this.pieces[at], this.pieces[at + 1], this.pieces[at + 2], this.pieces[at + 3])
      }
    return dirty.length
  }

  private pack() {
    const c = this.colours.of
    for (let i = 0; i < 32; i++) this.cell[i] = rgba(c[i * 3]!, c[i * 3 + 1]!, c[i * 3 + 2]!)
    this.ground = rgba(...this.colours.ground)
  }

  private paintAll() {
    this.pixels.fill(this.ground)
    this.pieceCount = most_pieces + 1
    const detail = detailAt(this.view.scale)
    const left = this.view.x
    const top = this.view.y
    const right = left + this.image.width / this.view.scale
    const bottom = top + this.image.height / this.view.scale
    for (let r = 0; r < this.layout.rack.length; r++) {
      const box = this.layout.rack[r]!
      if (box.x > right || box.y > bottom || box.x + box.w < left || box.y + box.h < top) continue
      if (detail === 'rack') this.paintRack(r)
      else for (const n of this.fleet.racks[r]!.nodes) this.paintNode(n, detail)
    }
  }

  private paintNode(node: number, detail: Detail) {
    const f = this.fleet
    const box = nodeBox(f, this.layout, node)
    const { x, y, scale } = this.view
    const y0 = Math.round((box.y - y) * scale)
    const first = f.first[node]!
    const count = f.first[node + 1]! - first
    const x0 = Math.round((box.x - x) * scale)
    const x1 = Math.max(x0 + 1, Math.round((box.x + box.w - x) * scale))
    if (detail === 'node' || count === 0) {
      const y1 = detail === 'node' ? Math.max(y0 + 1, Math.round((box.y + pitch - y) * scale) - 1) : y0 + Math.floor(scale)
      // Without GPUs it is pale: no card that is free.
      const colour = count ? this.mixed(first, first + count, node) : this.cell[f.nodeState[node] === active ? moving : f.nodeState[node]!]!
      this.rect(x0, y0, x1, y1, colour)
      this.piece(x0, y0, x1, y1)
      return
    }
    const gap = scale >= 3 ? (scale >= 14 ? 2 : 1) : 0
    const y1 = y0 + Math.max(1, Math.floor(scale)) // the same for all, so that rows do not flicker
    // A node that takes no work has its colour between its cells, too.
    const state = f.nodeState[node]!
    this.rect(x0, y0, x1, y1, state === active ? this.ground : this.cell[state]!)
    let at = x0
    for (let i = 0; i < count; i++) {
      const next = Math.round((box.x + i + 1 - x) * scale)
      this.rect(at, y0, Math.max(at + 1, next - gap), y1, this.cell[f.cell(node, first + i)]!)
      at = next
    }
    this.piece(x0, y0, x1, y1)
  }

  private paintRack(r: number) {
    const box = this.layout.rack[r]!
    const { x, y, scale } = this.view
    const x0 = Math.round((box.x - x) * scale)
    const y0 = Math.round((box.y - y) * scale)
    const x1 = Math.max(x0 + 1, Math.round((box.x + box.w - x) * scale))
    const y1 = Math.max(y0 + 1, Math.round((box.y + box.h - y) * scale))
    this.rect(x0, y0, x1, y1, this.mixedOf(this.fleet.racks[r]!.nodes))
    this.piece(x0, y0, x1, y1)
  }

  private mixed(from: number, to: number, node: number): number {
    let red = 0
    let green = 0
    let blue = 0
    const c = this.colours.of
    for (let g = from; g < to; g++) {
      const at = this.fleet.cell(node, g) * 3
      red += c[at]!
      green += c[at + 1]!
      blue += c[at + 2]!
    }
    const n = to - from
    return rgba(red / n, green / n, blue / n)
  }

  private mixedOf(nodes: Uint32Array): number {
    let red = 0
    let green = 0
    let blue = 0
    let n = 0
    const c = this.colours.of
    for (const node of nodes) {
      for (let g = this.fleet.first[node]!; g < this.fleet.first[node + 1]!; g++) {
        const at = this.fleet.cell(node, g) * 3
        red += c[at]!
        green += c[at + 1]!
        blue += c[at + 2]!
        n += 1
      }
    }
    return n ? rgba(red / n, green / n, blue / n) : this.cell[0]!
  }

  private rect(x0: number, y0: number, x1: number, y1: number, colour: number) {
    const w = this.image.width
    const left = Math.max(0, x0)
    const right = Math.min(w, x1)
    if (left >= right) return
    const bottom = Math.min(this.image.height, y1)
    for (let y = Math.max(0, y0); y < bottom; y++) {
      const from = y * w + left
      const to = y * w + right
      if (to - from > 24) this.pixels.fill(colour, from, to)
      else for (let i = from; i < to; i++) this.pixels[i] = colour
    }
  }

  private piece(x0: number, y0: number, x1: number, y1: number) {
    if (this.pieceCount >= most_pieces) {
      this.pieceCount = most_pieces + 1
      return
    }
    if (x1 <= 0 || y1 <= 0 || x0 >= this.image.width || y0 >= this.image.height) return
    const at = this.pieceCount++ * 4
    this.pieces[at] = x0
    this.pieces[at + 1] = y0
    this.pieces[at + 2] = x1 - x0
    this.pieces[at + 3] = y1 - y0
  }
}

// Little-endian: as every machine with a browser is.
function rgba(r: number, g: number, b: number): number {
  return (0xff000000 | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0
}

