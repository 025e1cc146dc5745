// Frames a second of the fleet's picture, in real Chromium, while a synthetic fleet changes:
//   node journeys/fleet.bench.mjs [--gpus 45000] [--changes 1000] [--seconds 10] [--picture FILE] [--json]
// The console is what `npm run build` made (or a dev server: AMPACITY_CONSOLE=http://localhost:5173);
// the cloud is a small server here, which says who is signed in, and the fleet as ampacityd would,
// an event each 60 ms. A frame is one that the browser asked the page to draw; cpu_ms_per_frame is what
// the page's main thread worked for it: under 20, there can be 50 a second, if the machine is free.
import { createReadStream, existsSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'

import { desk, launch } from './browser.mjs'
import { SyntheticFleet } from './synthetic_fleet.mjs'

const { values } = parseArgs({
  options: {
    gpus: { type: 'string', default: '45000' },
    changes: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    picture: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const gpus = Number(values.gpus)
const perSecond = Number(values.changes)
const seconds = Number(values.seconds)
const round_ms = 60

const dist = join(import.meta.dirname, '../../build/console/dist')
const kinds = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }
const fleet = new SyntheticFleet(gpus)
const followers = new Set()

function answer(req, res) {
  const path = new URL(req.url, 'http://x').pathname
  const json = (body) => {
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(body))
  }
  if (path === '/v1/whoami') return json({ role: 'owner', cloud: 'synthetic', version: '0', engine: 'none' })
  if (path === '/v1/fleet') return json(fleet.map)
  if (path === '/v1/fleet/live' || path === '/v1/events') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write(': hello\n\n')
    if (path === '/v1/events') return
    res.write(`data: ${JSON.stringify(fleet.everything())}\n\n`)
    followers.add(res)
    req.on('close', () => followers.delete(res))
    return
  }
  if (path.startsWith('/v1/')) {
    res.statusCode = 404
    return json({ status: 404, detail: 'not here' })
  }
  if (process.env.AMPACITY_CONSOLE) {
    const up = request(process.env.AMPACITY_CONSOLE + req.url, { method: req.method, headers: { ...req.headers, host: new URL(process.env.AMPACITY_CONSOLE).host } }, (r) => {
      res.writeHead(r.statusCode, r.headers)
      r.pipe(res)
    })
    up.on('error', () => res.destroy())
    return req.pipe(up)
  }
  let file = join(dist, path.replace(/^\/console/, ''))
  if (!extname(file) || !existsSync(file)) file = join(dist, 'index.html')
  res.setHeader('Content-Type', kinds[extname(file)] ?? 'application/octet-stream')
  createReadStream(file).pipe(res)
}

const server = createServer(answer)
await new Promise((r) => server.listen(0, '127.0.0.1', r))
const url = `http://127.0.0.1:${server.address().port}`
let sent = 0
let owed = 0
let last = performance.now()
const ticking = setInterval(() => {
  const now = performance.now()
  owed += ((now - last) / 1000) * perSecond
  last = now
  const n = Math.floor(owed)
  owed -= n
  if (n === 0 || followers.size === 0) return
  sent += n
  const text = `data: ${JSON.stringify(fleet.change(n))}\n\n`
  for (const f of followers) f.write(text)
}, round_ms)

// Frames in the page, with what is done meanwhile.
async function frames(page, devtools, meanwhile) {
  const began = sent
  const cpu = async () => Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value])).TaskDuration * 1000
  const used = await cpu()
  const measured = page.evaluate(
    (ms) =>
      new Promise((done) => {
        const at = []
        const first = performance.now()
        const frame = (now) => {
          at.push(now)
          if (performance.now() - first < ms) requestAnimationFrame(frame)
          else {
            const gaps = at.slice(1).map((x, i) => x - at[i]).sort((a, b) => a - b)
            done({
              frames_per_second: (at.length - 1) / ((at.at(-1) - at[0]) / 1000),
              gap_p50_ms: gaps[Math.floor(gaps.length / 2)],
              gap_p99_ms: gaps[Math.floor(gaps.length * 0.99)],
              longest_ms: gaps.at(-1),
              frames: at.length,
            })
          }
        }
        requestAnimationFrame(frame)
      }),
    seconds * 1000,
  )
  const over = measured.then(() => true)
  if (meanwhile) while (!(await Promise.race([over, meanwhile().then(() => false)])));
  const result = await measured
  // Of the page's main thread, whatever else the machine does.
  result.cpu_ms_per_frame = ((await cpu()) - used) / result.frames
  return { ...Object.fromEntries(Object.entries(result).map(([k, v]) => [k, Math.round(v * 10) / 10])), changes_per_second: Math.round((sent - began) / seconds) }
}

const chromium = await launch()
try {
  const page = await chromium.person(null, { size: desk })
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const opened = performance.now()
  await page.goto(`${url}/console/fleet`)
  await page.locator('.fleet-map canvas').first().waitFor()
  const shown = Math.round(performance.now() - opened)
  await page.waitForTimeout(1500)
  if (values.picture) await page.screenshot({ path: values.picture })
  const still = await frames(page, devtools)
  const box = await page.locator('.fleet-map').boundingBox()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  let step = 0
  const zooming = await frames(page, devtools, async () => {
    await page.mouse.wheel(0, step++ % 20 < 10 ? -240 : 240)
    await page.waitForTimeout(40)
  })
  if (values.picture) {
    for (let i = 0; i < 8; i++) await page.mouse.wheel(0, -600)
    await page.waitForTimeout(500)
    await page.screenshot({ path: values.picture.replace(/(\.\w+)$/, '-near$1') })
  }
  const result = { gpus, shown_ms: shown, still, zooming }
  if (values.json) console.log(JSON.stringify(result))
  else console.log(result)
} finally {
  clearInterval(ticking)
  await chromium.close()
  server.closeAllConnections()
  server.close()
}
