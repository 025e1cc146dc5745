// The heat map itself. All cards are pixels of one small image, kept up to date as changes come; each
// frame it is stretched to the screen in one call, so that a frame costs the same for a thousand
// cards as for a million. Names and outlines are drawn over it.
import { cardKinds, nodeKinds, palette } from './colours'
import type { Fleet } from './feed'
import { card, gpuPlace, layOut, nodeAt, nodeWidth, type Layout } from './layout'

export interface View {
  x: number // the unit at the left edge
  y: number
  scale: number // screen pixels a unit
}

const most_scale = 24

export class Picture {
  layout: Layout | null = null
  view: View = { x: 0, y: 0, scale: 1 }
  found: number[] = [] // outlined
  frames = 0
  private fleet: Fleet | null = null
  private readonly image = document.createElement('canvas')
  private pixels: ImageData | null = null
  private words = new Uint32Array(0)
  private cards = palette(cardKinds, false)
  private nodes = palette(nodeKinds, false)
  private ink = { text: '#000', dim: '#555', found: '#d0006f' }
  private dirty = { top: 0, bottom: 0 }
  private frame = 0
  private fitted = true

  constructor(private readonly canvas: HTMLCanvasElement) {}

  show(fleet: Fleet) {
    this.fleet = fleet
    this.lay()
  }

  resize() {
    const box = this.canvas.getBoundingClientRect()
    const dense = Math.min(2, devicePixelRatio)
    this.canvas.width = Math.max(1, Math.round(box.width * dense))
    this.canvas.height = Math.max(1, Math.round(box.height * dense))
    if (this.fleet) this.lay()
  }

  colours(dark: boolean) {
    this.cards = palette(cardKinds, dark)
    this.nodes = palette(nodeKinds, dark)
    this.ink = dark ? { text: '#e6e9ec', dim: '#a9b1ba', found: '#ff5fb0' } : { text: '#1b1f24', dim: '#545b64', found: '#c4006a' }
    this.paintAll()
  }

  private lay() {
    const fleet = this.fleet!
    this.layout = layOut(fleet.map, this.canvas.width / this.canvas.height)
    this.image.width = this.layout.width
    this.image.height = this.layout.height
    this.pixels = new ImageData(this.layout.width, this.layout.height)
    this.words = new Uint32Array(this.pixels.data.buffer)
    if (this.fitted) this.fit()
    this.paintAll()
  }

  fit() {
    const l = this.layout
    if (!l) return
    const scale = Math.min(this.canvas.width / l.width, this.canvas.height / l.height, most_scale)
    this.view = { x: (l.width - this.canvas.width / scale) / 2, y: 0, scale }
    this.fitted = true
    this.soon()
  }

  private paintAll() {
    if (!this.fleet) return
    for (let n = 0; n < this.fleet.nodes.length; ++n) this.paintNode(n)
    this.dirty = { top: 0, bottom: this.layout!.height }
    this.soon()
  }

  changed(nodes: number[]) {
    for (const n of nodes) this.paintNode(n)
    this.soon()
  }

  private paintNode(n: number) {
    const { layout: l, fleet, words } = this
    if (!l || !fleet) return
    const begin = fleet.firstGpu[n]!
    const gpus = fleet.firstGpu[n + 1]! - begin
    const over = this.nodes[fleet.nodes[n]!]!
    for (let g = 0; g < Math.max(gpus, 1); ++g) {
      const colour = gpus ? this.cards[fleet.gpus[begin + g]!]! : this.cards[0x2e]!
      const [x, y] = gpuPlace(l, n, g)
      for (let dy = 0; dy < card; ++dy)
        for (let dx = 0; dx < card; ++dx) words[(y + dy) * l.width + x + dx] = colour
      // A mark in each card's corner: what it does stays to be seen.
      if (over) words[y * l.width + x] = over
    }
    this.dirty.top = Math.min(this.dirty.top, l.y[n]!)
    this.dirty.bottom = Math.max(this.dirty.bottom, l.y[n]! + l.h[n]!)
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => this.draw())
  }

  private draw() {
    this.frame = 0
    this.frames += 1
    const l = this.layout
    const to = this.canvas.getContext('2d')
    if (!l || !to || !this.pixels) return
    if (this.dirty.bottom > this.dirty.top) {
      this.image
        .getContext('2d')!
        .putImageData(this.pixels, 0, 0, 0, this.dirty.top, l.width, this.dirty.bottom - this.dirty.top)
      this.dirty = { top: l.height, bottom: 0 }
    }
    const { x, y, scale } = this.view
    to.imageSmoothingEnabled = scale < 1
    to.setTransform(1, 0, 0, 1, 0, 0)
    to.clearRect(0, 0, this.canvas.width, this.canvas.height)
    to.drawImage(this.image, -x * scale, -y * scale, l.width * scale, l.height * scale)
    this.drawNames(to)
  }

  private drawNames(to: CanvasRenderingContext2D) {
    const { x, y, scale } = this.view
    const l = this.layout!
    const size = Math.min(14 * Math.min(2, devicePixelRatio), 11 * scale)
    if (size >= 7)
      for (const s of l.sites) {
        to.fillStyle = this.ink.text
        to.font = `600 ${size}px system-ui, sans-serif`
        to.fillText(s.name, Math.max(4, (s.x - x) * scale), (s.y - y) * scale + size)
      }
    to.strokeStyle = this.ink.found
    to.lineWidth = 2
    for (const n of this.found)
      to.strokeRect((l.x[n]! - x) * scale - 2, (l.y[n]! - y) * scale - 2, nodeWidth * scale + 4, l.h[n]! * scale + 4)
    if (scale < 9) return
    to.fillStyle = this.ink.dim
    to.font = `${Math.min(13, scale)}px system-ui, sans-serif`
    const names = this.fleet!.map.nodes!
    for (let n = 0; n < names.length; ++n) {
      const top = (l.y[n]! + l.h[n]! - y) * scale
      if (top < 0 || (l.y[n]! - y) * scale > this.canvas.height) continue
      to.fillText(names[n]!, (l.x[n]! - x) * scale, top + scale * 0.8, (nodeWidth + 2) * scale)
    }
  }

  // At a place on the canvas, in CSS pixels.
  node(cssX: number, cssY: number): number {
    if (!this.layout) return -1
    const dense = Math.min(2, devicePixelRatio)
    const { x, y, scale } = this.view
    return nodeAt(this.layout, x + (cssX * dense) / scale, y + (cssY * dense) / scale)
  }

  zoom(by: number, cssX: number, cssY: number) {
    const dense = Math.min(2, devicePixelRatio)
    const v = this.view
    const fit = this.layout ? Math.min(this.canvas.width / this.layout.width, this.canvas.height / this.layout.height) : 1
    const scale = Math.min(most_scale, Math.max(Math.min(fit, most_scale), v.scale * by))
    const px = cssX * dense
    const py = cssY * dense
    this.view = { scale, x: v.x + px / v.scale - px / scale, y: v.y + py / v.scale - py / scale }
    this.fitted = scale <= fit
    if (this.fitted) return this.fit()
    this.soon()
  }

  pan(cssDx: number, cssDy: number) {
    const dense = Math.min(2, devicePixelRatio)
    const { x, y, scale } = this.view
    this.view = { scale, x: x - (cssDx * dense) / scale, y: y - (cssDy * dense) / scale }
    this.fitted = false
    this.soon()
  }

  close() {
    cancelAnimationFrame(this.frame)
  }
}
