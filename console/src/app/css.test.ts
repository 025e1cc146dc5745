import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

// Every page's style stays loaded once it was visited, so a name in two files means two things at once.
test('a class that begins a rule belongs to one file', () => {
  const src = join(import.meta.dirname, '..')
  const owner = new Map<string, string>()
  const twice: string[] = []
  for (const file of (readdirSync(src, { recursive: true }) as string[]).filter((f) => f.endsWith('.css'))) {
    const own = new Set(readFileSync(join(src, file), 'utf8').match(/^\.[a-z][a-z-]*/gm) ?? [])
    for (const name of own) {
      if (owner.has(name)) twice.push(`${name} in ${owner.get(name)} and ${file}`)
      owner.set(name, file)
    }
  }
  expect(twice).toEqual([])
})
