// Runs the journeys beside it (NAME.journey.mjs; all, or those named) against one cloud, in one
// Chromium: tests/journeys/console_journey.py starts both and gives what is there as `seed`.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { launch } from './browser.mjs'

const here = import.meta.dirname
const wanted = process.argv.slice(2)
const names = readdirSync(here)
  .filter((f) => f.endsWith('.journey.mjs'))
  .map((f) => f.replace('.journey.mjs', ''))
  .filter((n) => wanted.length === 0 || wanted.includes(n))

const seed = JSON.parse(process.env.AMPACITY_SEED ?? '{}')
const chromium = await launch()
let failed = 0
async function run(name, journey) {
  const began = Date.now()
  try {
    await journey({ chromium, seed })
    console.log(`ok   ${name} ${Date.now() - began} ms`)
  } catch (e) {
    failed += 1
    console.log(`FAIL ${name}\n${e.stack ?? e}`)
  }
}
// One after another; beside them those that say `beside`.
const journeys = await Promise.all(names.map(async (n) => [n, await import(join(here, `${n}.journey.mjs`))]))
const waiting = journeys.filter(([, j]) => j.beside).map(([n, j]) => run(n, j.default))
for (const [n, j] of journeys) if (!j.beside) await run(n, j.default)
await Promise.all(waiting)
await chromium.close()
process.exit(failed || names.length === 0 ? 1 : 0)
