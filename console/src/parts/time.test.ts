import { expect, test } from 'vitest'

import { durationText, shortDuration, utcText } from './time'

test.each([
  [0, '0 sec'],
  [59.4, '59 sec'],
  [61, '1 min 1 sec'],
  [3600, '1 hr'],
  [8040, '2 hr 14 min'],
  [90061, '1 day 1 hr'],
  [86_400 + 30, '1 day'],
])('%s s is %s', (seconds, text) => expect(durationText(seconds)).toBe(text))

test('on hover it is UTC', () => expect(utcText('2026-11-28T22:44:01+08:00')).toBe('2026-11-28 14:44:01 UTC'))

test.each([
  [604_800, '7d'],
  [5_400, '90m'],
  [30, '30s'],
  [7_200, '2h'],
  [0, '0s'],
])('%s s is said to the API as %s', (seconds, text) => expect(shortDuration(seconds)).toBe(text))
