// The letters of GET /v1/fleet/live (api/contract.h, FleetEvent) as small numbers, their words and
// colours. What a GPU shows is its own state, or its node's while nobody has it.
import type { TextKey } from '../../text/text'

// Order: of the legend, and of `colours`. A leased GPU that starts or stops is `moving` beside its class.
export const kinds = [
  'free',
  'kept',
  'promised',
  'reserved',
  'on_demand',
  'spot',
  'house',
  'cordoned',
  'maintenance',
  'unknown',
  'draining',
  'absent',
] as const
export type Kind = (typeof kinds)[number]

export const leased: readonly Kind[] = ['reserved', 'on_demand', 'spot', 'house']

const gpu_kinds: Record<string, Kind> = { '.': 'free', w: 'kept', p: 'promised', r: 'reserved', o: 'on_demand', s: 'spot', h: 'house' }
const node_kinds: Record<string, Kind> = { c: 'cordoned', m: 'maintenance', u: 'unknown', d: 'draining', x: 'absent' }

// A cell's code: the kind's place, and `moving` for capitals.
export const moving = 16
export const active = 255 // of a node: nothing to say

export const gpuCode = new Uint8Array(128)
export const nodeCode = new Uint8Array(128).fill(active)
for (const [letter, kind] of Object.entries(gpu_kinds)) {
  const code = kinds.indexOf(kind)
  gpuCode[letter.charCodeAt(0)] = code
  if (letter >= 'a') gpuCode[letter.toUpperCase().charCodeAt(0)] = code + moving
}
for (const [letter, kind] of Object.entries(node_kinds)) nodeCode[letter.charCodeAt(0)] = kinds.indexOf(kind)

export const kept_code = kinds.indexOf('promised') // up to here nobody has it

export function kindOf(code: number): Kind {
  return kinds[code & (moving - 1)] ?? 'absent'
}

export function kindText(kind: Kind): TextKey {
  return `fleet.is.${kind}`
}

type Rgb = [number, number, number]
const light: Record<Kind | 'ground' | 'site', Rgb> = {
  ground: [255, 255, 255],
  site: [255, 255, 255],
  free: [221, 226, 232],
  kept: [190, 214, 240],
  promised: [205, 196, 235],
  reserved: [23, 92, 168],
  on_demand: [31, 148, 140],
  spot: [230, 150, 38],
  house: [138, 103, 186],
  cordoned: [245, 214, 120],
  maintenance: [201, 160, 106],
  unknown: [214, 72, 66],
  draining: [226, 178, 178],
  absent: [120, 126, 133],
}
const dark: Record<Kind | 'ground' | 'site', Rgb> = {
  ground: [21, 24, 28],
  site: [21, 24, 28],
  free: [52, 59, 67],
  kept: [45, 74, 108],
  promised: [71, 62, 110],
  reserved: [86, 156, 236],
  on_demand: [56, 186, 172],
  spot: [240, 170, 66],
  house: [172, 140, 226],
  cordoned: [140, 116, 40],
  maintenance: [122, 92, 56],
  unknown: [236, 96, 88],
  draining: [122, 78, 78],
  absent: [96, 102, 110],
}

export interface Colours {
  of: Uint8ClampedArray // r, g, b by code: 32 of them
  ground: Rgb
}

// With `only`, everything else is pale.
export function coloursFor(scheme: 'light' | 'dark', only: ReadonlySet<Kind> | null): Colours {
  const set = scheme === 'dark' ? dark : light
  const of = new Uint8ClampedArray(32 * 3)
  kinds.forEach((kind, i) => {
    const pale = only && !only.has(kind)
    for (let c = 0; c < 3; c++) {
      const full = set[kind][c]!
      const shown = pale ? set.ground[c]! + (full - set.ground[c]!) * 0.16 : full
      of[i * 3 + c] = shown
      of[(i + moving) * 3 + c] = (shown * 5 + set.ground[c]! * 5) / 10
    }
  })
  return { of, ground: set.ground }
}

export function cssColour(scheme: 'light' | 'dark', kind: Kind): string {
  return `rgb(${(scheme === 'dark' ? dark : light)[kind].join(' ')})`
}
