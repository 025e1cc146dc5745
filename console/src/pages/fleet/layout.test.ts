import { expect, test } from 'vitest'

import { card, gpuPlace, layOut, nodeAt, nodeWidth, type FleetMap } from './layout'

function fleet(racks: number, nodes: number, gpus: number): FleetMap {
  const count = racks * nodes
  return {
    sites: ['a', 'b'],
    racks: Array.from({ length: racks }, (_, i) => `r${i}`),
    skus: ['h100'],
    nodes: Array.from({ length: count }, (_, i) => `n${i}`),
    site: Array.from({ length: count }, (_, i) => (Math.floor(i / nodes) % 3 === 0 ? 1 : 0)),
    rack: Array.from({ length: count }, (_, i) => Math.floor(i / nodes)),
    sku: Array(count).fill(0),
    gpus: Array(count).fill(gpus),
    emulated: [],
  }
}

test.each([
  [1, 1, 8],
  [40, 4, 8],
  [700, 8, 8],
  [5, 18, 4],
  [3, 2, 0],
])('%i racks of %i nodes of %i: no two cards on one place, all inside, each node found', (racks, nodes, gpus) => {
  const map = fleet(racks, nodes, gpus)
  const l = layOut(map, 1.6)
  const taken = new Set<string>()
  for (let n = 0; n < map.nodes!.length; ++n) {
    for (let g = 0; g < gpus; ++g) {
      const [x, y] = gpuPlace(l, n, g)
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + card).toBeLessThanOrEqual(l.width)
      expect(y + card).toBeLessThanOrEqual(l.height)
      taken.add(`${x} ${y}`)
    }
    if (n % 97 === 0) expect(nodeAt(l, l.x[n]! + nodeWidth - 1, l.y[n]!)).toBe(n)
  }
  expect(taken.size).toBe(racks * nodes * gpus)
  expect(l.firstGpu.at(-1)).toBe(racks * nodes * gpus)
  expect(l.sites.map((s) => s.nodes).reduce((a, b) => a + b)).toBe(racks * nodes)
})

test('as wide as the screen is', () => {
  const l = layOut(fleet(700, 8, 8), 2)
  expect(l.width / l.height).toBeGreaterThan(1.8)
  expect(l.width / l.height).toBeLessThan(2.2)
})

test('nodes without a known rack stand in columns', () => {
  const map = fleet(1, 100, 8)
  map.racks = ['']
  const l = layOut(map, 1.6)
  expect(new Set(l.x).size).toBeGreaterThan(3)
  expect(nodeAt(l, -1, 0)).toBe(-1)
})
