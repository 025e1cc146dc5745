// The letters of the fleet's feed as colours and words, once for picture, legend and node page.
import type { TextKey } from '../../text/text'

export interface Kind {
  letters: string
  text: TextKey
  light: string
  dark: string
}

// Of cards. Told apart by lightness, too, not by hue alone.
export const cardKinds: Kind[] = [
  { letters: '.', text: 'fleet.free', light: '#dbe4ea', dark: '#2b333b' },
  { letters: 'w', text: 'fleet.window', light: '#b9c7f2', dark: '#3d4a80' },
  { letters: 'p', text: 'fleet.promised', light: '#f0d9a8', dark: '#6b5524' },
  { letters: 'r', text: 'fleet.reserved', light: '#4b5fc4', dark: '#8195ff' },
  { letters: 'o', text: 'fleet.onDemand', light: '#1f8a4c', dark: '#43c07c' },
  { letters: 's', text: 'fleet.spot', light: '#d98a1c', dark: '#e9b04f' },
  { letters: 'h', text: 'fleet.house', light: '#8a7560', dark: '#a8937d' },
  { letters: 'ROSH', text: 'fleet.moving', light: '#12b5cb', dark: '#35dcf2' },
]

// Of nodes, drawn over their cards where they are not simply active.
export const nodeKinds: Kind[] = [
  { letters: 'c', text: 'fleet.cordoned', light: '#7a4b00', dark: '#ffd48a' },
  { letters: 'm', text: 'fleet.maintenance', light: '#7b3fa0', dark: '#cf9af0' },
  { letters: 'd', text: 'fleet.draining', light: '#7b3fa0', dark: '#cf9af0' },
  { letters: 'u', text: 'fleet.unknown', light: '#c23934', dark: '#f2746d' },
  { letters: 'x', text: 'fleet.absent', light: '#5b636b', dark: '#5b636b' },
]

// By letter's byte, as 0xAABBGGRR: how a canvas's bytes lie in a word.
export function palette(kinds: Kind[], dark: boolean): Uint32Array {
  const colours = new Uint32Array(128)
  for (const k of kinds) {
    const hex = parseInt((dark ? k.dark : k.light).slice(1), 16)
    const word = 0xff000000 | ((hex & 0xff) << 16) | (hex & 0xff00) | (hex >> 16)
    for (const letter of k.letters) colours[letter.charCodeAt(0)] = word >>> 0
  }
  return colours
}

export function kindOf(kinds: Kind[], letter: string): Kind | undefined {
  return kinds.find((k) => k.letters.includes(letter))
}
