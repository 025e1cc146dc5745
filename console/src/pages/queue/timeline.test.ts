import { expect, test } from 'vitest'

import { at, axisOf, type Lane } from './timeline'

const hour = 3_600_000
const lane = (from: number, until: number | null): Lane => ({ id: 'x', name: 'x', kind: 'reservation', from, until })

test('an empty axis is an hour, and quarters are ones that people count in', () => {
  expect(axisOf([], 0).until).toBe(hour)
  expect(axisOf([lane(0, 9 * hour)], 0).until).toBe(12 * hour)
  expect(axisOf([lane(0, 25 * hour)], 0).until).toBe(48 * hour)
})

test('it ends somewhere, though a window may not', () => {
  const axis = axisOf([lane(0, null), lane(0, 5000 * 24 * hour)], 0)
  expect(axis.until).toBeLessThanOrEqual(92 * 24 * hour)
  expect(at(axis, 5000 * 24 * hour)).toBe(1)
  expect(at(axis, -hour)).toBe(0)
})
