import { expect, test } from 'vitest'

import { SyntheticFleet } from '../../../journeys/synthetic_fleet.mjs'
import { fit, held, hit, layout, neighbour, nodeBox, zoom } from './layout'
import { coloursFor, gpuCode, kinds } from './letters'
import { countOf, Fleet, leasedOf } from './model'
import { detailAt, Painter, type Target } from './painter'

const map = {
  sites: ['a', 'b'],
  racks: ['r1', 'r1', ''],
  skus: ['h100', 'cpu'],
  nodes: ['n0', 'n1', 'n2', 'n3'],
  site: [0, 0, 1, 1],
  rack: [0, 0, 1, 2],
  sku: [0, 0, 0, 1],
  gpus: [2, 2, 3, 0],
  emulated: [0],
}

test('what nobody has shows its node; what is leased shows itself', () => {
  const f = new Fleet(map)
  expect(f.apply({ sequence: 9, nodes: 'acaa', gpus: '.o.RwpS' })).toBe(true)
  const shown = (n: number) => kinds[n & 15]
  expect(shown(f.cell(0, 0))).toBe('free')
  expect(shown(f.cell(1, 2))).toBe('cordoned')
  expect(shown(f.cell(1, 3))).toBe('reserved')
  expect(f.cell(1, 3)).toBe(gpuCode['R'.charCodeAt(0)])
  expect([...f.counts]).toEqual(kinds.map((k) => ({ free: 1, on_demand: 1, cordoned: 1, reserved: 1, kept: 1, promised: 1, spot: 1 })[k as 'free'] ?? 0))
})

test('counts stay the sum of all cells, and each changed node is told of once', () => {
  const s = new SyntheticFleet(2000)
  const f = new Fleet(s.map)
  f.apply(s.everything())
  expect(f.takeDirty()).toBe('all')
  for (let i = 0; i < 50; i++) f.apply(s.change(30))
  const dirty = f.takeDirty() as Uint32Array
  expect(new Set(dirty).size).toBe(dirty.length)
  expect(f.takeDirty()).toEqual(new Uint32Array(0))
  const all = f.tallyOf(f.nodes.keys())
  expect([...f.counts]).toEqual([...all.by])
  expect(all.gpus).toBe(2000)
  const again = new Fleet(s.map)
  again.apply(s.everything())
  expect([...f.gpuState]).toEqual([...again.gpuState])
})

test('events of other nodes are refused: the map is old', () => {
  const f = new Fleet(map)
  expect(f.apply({ nodes: 'aaaaa', gpus: '.......' })).toBe(false)
  expect(f.apply({ changes: [{ node: 4, state: 'a', gpus: '' }] })).toBe(false)
  expect(f.apply({ changes: [{ node: 0, state: 'a', gpus: '...' }] })).toBe(false)
})

test('every word of a search is in the name, rack, site or kind', () => {
  const f = new Fleet(map)
  expect(f.search('n1')).toEqual([1])
  expect(f.search('r1 b')).toEqual([2])
  expect(f.search('CPU')).toEqual([3])
  expect(f.search('r1 cpu')).toEqual([])
})

test('two sites’ racks of one name are two; a node without GPUs has a place', () => {
  const f = new Fleet(map)
  expect(f.racks.map((r) => [...r.nodes])).toEqual([[0, 1], [2], [3]])
  expect(nodeBox(f, layout(f, 100, 100), 3).w).toBe(1)
  expect(leasedOf(f.tallyOf([0]))).toBe(0)
  expect(countOf(f.tallyOf([0]), 'free')).toBe(2)
})

test.each([[100, 900, 500], [9000, 1050, 560], [3000, 400, 800]])('%i GPUs in %i × %i: no node over another, each is found where it stands', (gpus, w, h) => {
  const s = new SyntheticFleet(gpus)
  const f = new Fleet(s.map)
  const l = layout(f, w, h)
  const taken = new Set<string>()
  const outside: number[] = []
  for (let n = 0; n < f.nodes.length; n++) {
    const b = nodeBox(f, l, n)
    if (!(b.x >= 0 && b.y >= 0 && b.x + b.w <= l.width + 0.001 && b.y + b.h <= l.height + 0.001)) outside.push(n)
    taken.add(`${b.x.toFixed(2)} ${b.y.toFixed(2)}`)
    if (n % 97 === 0) for (const g of [1, b.w - 1]) expect(hit(f, l, b.x + g + 0.5, b.y + 0.5)).toMatchObject({ node: n, gpu: g })
  }
  expect(outside).toEqual([])
  expect(taken.size).toBe(f.nodes.length)
  expect(l.width / l.height / (w / h)).toBeGreaterThan(gpus > 500 ? 0.7 : 0.2)
})

test('many nodes whose rack nobody knows stand in columns', () => {
  const f = new Fleet(new SyntheticFleet(1600, { sites: 1, perRack: 200 }).map)
  const l = layout(f, 600, 600)
  expect(l.rows[0]).toBeLessThan(100)
  for (const n of [0, 1, l.rows[0]!, 199]) {
    const b = nodeBox(f, l, n)
    expect(hit(f, l, b.x + 7.5, b.y + 0.5)).toMatchObject({ node: n, gpu: 7 })
  }
})

test('arrows reach every rack, and come back', () => {
  const f = new Fleet(new SyntheticFleet(1000).map)
  const l = layout(f, 800, 600)
  const seen = new Set([0])
  const open = [0]
  while (open.length) {
    const n = open.pop()!
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      const next = neighbour(f, l, n, dx, dy)
      if (!seen.has(next)) {
        seen.add(next)
        open.push(next)
      }
    }
  }
  expect(seen.size).toBe(f.nodes.length)
})

test('zooming keeps what is under the pointer, and the whole is the farthest', () => {
  const f = new Fleet(new SyntheticFleet(45_000).map)
  const l = layout(f, 1000, 600)
  const whole = fit(l, 1000, 600)
  const near = zoom(whole, l, 1000, 600, 3, 400, 200)
  expect(near.x + 400 / near.scale).toBeCloseTo(whole.x + 400 / whole.scale)
  expect(zoom(near, l, 1000, 600, 0.0001, 0, 0).scale).toBeCloseTo(whole.scale)
  const lost = held({ ...near, x: 1e9, y: -1e9 }, l, 1000, 600)
  expect(lost.x).toBeLessThan(l.width)
  expect(lost.y + 600 / lost.scale).toBeGreaterThan(0)
  expect([detailAt(3), detailAt(1.6), detailAt(0.5)]).toEqual(['gpu', 'node', 'rack'])
})

// An image in memory: what is painted after changes is what painting all of it anew gives.
class Memory implements Target {
  puts = 0
  pixels = new Uint8ClampedArray(0)
  putImageData(image: ImageData, _x: number, _y: number, dx = 0, dy = 0, dw = image.width, dh = image.height) {
    this.puts += 1
    if (this.pixels.length !== image.data.length) this.pixels = new Uint8ClampedArray(image.data.length)
    for (let y = Math.max(0, dy); y < Math.min(image.height, dy + dh); y++)
      for (let x = Math.max(0, dx); x < Math.min(image.width, dx + dw); x++)
        for (let c = 0; c < 4; c++) this.pixels[(y * image.width + x) * 4 + c] = image.data[(y * image.width + x) * 4 + c]!
  }
}
const image = (w: number, h: number) => ({ width: w, height: h, data: new Uint8ClampedArray(w * h * 4), colorSpace: 'srgb' }) as unknown as ImageData

test.each([4, 1.6, 0.8])('at %f pixels a GPU, only what changed is drawn, and the picture is whole', (scale) => {
  const s = new SyntheticFleet(1200)
  const f = new Fleet(s.map)
  f.apply(s.everything())
  const l = layout(f, 300, 200)
  const painter = new Painter(f, l, coloursFor('light', null), image)
  painter.resize(300, 200, l)
  painter.look({ x: -2, y: -1, scale })
  const canvas = new Memory()
  expect(painter.paint(canvas)).toBe(f.nodes.length)
  for (let i = 0; i < 20; i++) {
    f.apply(s.change(5))
    expect(painter.paint(canvas)).toBeLessThanOrEqual(5)
  }
  expect(painter.paint(canvas)).toBe(0)
  const fresh = new Memory()
  const all = new Fleet(s.map)
  all.apply(s.everything())
  const anew = new Painter(all, l, coloursFor('light', null), image)
  anew.resize(300, 200, l)
  anew.look({ x: -2, y: -1, scale })
  anew.paint(fresh)
  expect(Buffer.compare(Buffer.from(canvas.pixels), Buffer.from(fresh.pixels))).toBe(0)
})

test('with a filter everything else is pale', () => {
  const all = coloursFor('light', null)
  const only = coloursFor('light', new Set(['spot'] as const))
  const spot = kinds.indexOf('spot') * 3
  const house = kinds.indexOf('house') * 3
  expect(only.of[spot]).toBe(all.of[spot])
  expect(only.of[house]!).toBeGreaterThan(all.of[house]!)
})
