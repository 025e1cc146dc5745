import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import en from './en'
import { speak, t, word } from './text'
import zh from './zh-TW'

test('a translation names the same values', () => {
  const values = (s: string) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort().join()
  for (const [key, text] of Object.entries(en)) expect(`${key} ${values(zh[key as keyof typeof en])}`).toBe(`${key} ${values(text)}`)
})

test('values are put in, numbers grouped, and what is unknown is shown as it is', async () => {
  expect(t('workloads.count', { n: 100_000 })).toBe('100,000 workloads')
  expect(word('on_demand')).toBe('on demand')
  expect(word('something_new')).toBe('something new')
  await speak('zh-TW')
  expect(word('queued')).toBe('排隊中')
  await speak('en')
})

// Said nowhere: translators need not bother. A key made of parts counts where its parts are.
test('every text is used', () => {
  const src = join(import.meta.dirname, '..')
  const files = (readdirSync(src, { recursive: true }) as string[]).filter((f) => /\.tsx?$/.test(f) && !f.startsWith('text') && !f.includes('schema'))
  const code = files.map((f) => readFileSync(join(src, f), 'utf8')).join('\n')
  const whole = new Set([...code.matchAll(/'([\w.]+)'/g)].map((m) => m[1]))
  const made = [...code.matchAll(/`([\w.]+)\$\{[^`]*`/g)].map((m) => m[1]!)
  const unused = Object.keys(en).filter((k) => !whole.has(k) && !made.some((m) => k.startsWith(m)) && !k.startsWith('word.'))
  expect(unused).toEqual([])
})
