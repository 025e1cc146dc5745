// Measures, before a server full of emulated cards (tests/bench_console.py starts it): one JSON object
// on the last line.
import { Agent, request } from 'node:http'

import { cloud, desk, launch } from './browser.mjs'

const wanted = JSON.parse(process.env.AMPACITY_BENCH ?? '{}')
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]

// fetch() is too slow for thousands a second.
function post(path, body, key) {
  return new Promise((done, fail) => {
    const r = request(cloud.url + path, { method: 'POST', agent, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' } }, (a) => {
      let text = ''
      a.on('data', (d) => (text += d))
      a.on('end', () => (a.statusCode < 300 ? done(text) : fail(new Error(`${path}: ${a.statusCode} ${text}`))))
    })
    r.on('error', fail)
    r.end(JSON.stringify(body))
  })
}

const small = (name, gpus) => ({ name, image: 'localhost/ampacity-tiny', command: ['true'], resources: { gpus, cpus: '0.1', memory: '64MiB' }, project: 'demo' })

// So many at once, until `more` says no.
async function submit(many, more, name, gpus) {
  let n = 0
  const one = async () => {
    while (more(n)) await post('/v1/jobs', small(`${name}-${n++}`, gpus), cloud.owner).catch(() => sleep(50))
  }
  await Promise.all(Array.from({ length: many }, one))
}

async function firstLoad(chromium) {
  const times = []
  let gzip = 0
  for (let i = 0; i < 5; ++i) {
    const page = await chromium.person(cloud.customer)
    const session = await page.context().storageState()
    const fresh = await page.context().browser().newContext({ viewport: desk, storageState: session, baseURL: cloud.url })
    const first = await fresh.newPage()
    const network = await fresh.newCDPSession(first)
    await network.send('Network.enable')
    let bytes = 0
    const assets = new Set()
    network.on('Network.responseReceived', (e) => /\/console\//.test(e.response.url) && assets.add(e.requestId))
    network.on('Network.loadingFinished', (e) => assets.has(e.requestId) && (bytes += e.encodedDataLength))
    await first.goto('/console/workloads')
    await first.getByRole('heading', { name: 'Workloads' }).waitFor()
    // Since the navigation began, when its heading was there.
    times.push(await first.evaluate(() => performance.getEntriesByType('element')[0]?.startTime ?? performance.now()))
    gzip = bytes / 1000
    await fresh.close()
    await page.context().close()
  }
  return { gzip_kb: Math.round(gzip), interactive_ms: Math.round(times.sort((a, b) => a - b)[2]) }
}

// The map is moved all the time while cards change; frames that it drew, and changes that came.
async function heatMap(chromium) {
  const page = await chromium.person(cloud.owner)
  await page.addInitScript(() => {
    const real = window.EventSource
    window.changesSeen = 0
    window.EventSource = class extends real {
      constructor(url) {
        super(url)
        if (String(url).includes('fleet/live'))
          this.addEventListener('message', (m) => (window.changesSeen += JSON.parse(m.data).changes?.length ?? 0))
      }
    }
  })
  await page.goto('/console/fleet')
  const picture = page.getByRole('application')
  await picture.waitFor()
  let going = true
  let began = 0
  const load = submit(48, () => {
    if (!going) return false
    began ||= performance.now()
    return true
  }, 'flicker', 'h100:1')
  await sleep(4000)
  // Each frame moves it: everything in sight is drawn anew, beside what changes.
  const measured = await picture.evaluate(async (map) => {
    map.focus()
    const changes = window.changesSeen
    const start = performance.now()
    let frames = 0
    await new Promise((done) => {
      const step = () => {
        map.dispatchEvent(new KeyboardEvent('keydown', { key: frames++ % 20 < 10 ? 'ArrowLeft' : 'ArrowRight', shiftKey: true, bubbles: true }))
        if (performance.now() - start < 5000) requestAnimationFrame(step)
        else done()
      }
      requestAnimationFrame(step)
    })
    const seconds = (performance.now() - start) / 1000
    return { fps: frames / seconds, changes: (window.changesSeen - changes) / seconds }
  })
  going = false
  await load
  await page.context().close()
  return { fps: Math.round(measured.fps), node_changes_per_s: Math.round(measured.changes) }
}

// From the instant of the fact (the server's clock, which is this machine's) until the row shows it.
async function changeToScreen(chromium) {
  const page = await chromium.person(cloud.customer)
  await page.goto('/console/workloads')
  await page.getByRole('heading', { name: 'Workloads' }).waitFor()
  await page.evaluate(() => {
    window.shownAt = {}
    new MutationObserver(() => {
      for (const row of document.querySelectorAll('table.rows tbody tr')) {
        const name = /timed-\d+/.exec(row.textContent)?.[0]
        if (name && /running/.test(row.textContent)) window.shownAt[name] ??= performance.timeOrigin + performance.now()
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true })
  })
  for (let i = 0; i < 40; ++i) {
    await post('/v1/jobs', small(`timed-${i}`, 'h100:1'), cloud.owner)
    await sleep(100)
  }
  await sleep(1500)
  const shown = await page.evaluate(() => window.shownAt)
  const log = await cloud.ok('GET', '/v1/event-log?kind=rank_started&limit=500')
  const jobs = await cloud.ok('GET', '/v1/jobs?all=1&q=timed-&limit=500')
  const late = []
  for (const j of jobs.items) {
    const ran = log.items.find((e) => e.job === j.id)
    if (ran && shown[j.name]) late.push(shown[j.name] - Date.parse(ran.at))
  }
  late.sort((a, b) => a - b)
  await page.context().close()
  return { change_to_screen_ms_p50: Math.round(at(late, 0.5)), change_to_screen_ms_p95: Math.round(at(late, 0.95)), changes_timed: late.length }
}

// A list of so many, scrolled far: rows still blank 100 ms after it stopped.
async function longList(chromium) {
  const there = (await cloud.ok('GET', '/v1/job-pages?all=1')).total
  await submit(64, (n) => there + n < wanted.jobs, 'many', 'h100:1')
  const page = await chromium.person(cloud.owner)
  await page.goto('/console/workloads?state=all')
  await page.getByText(/workloads$/).waitFor()
  const blanks = []
  for (let i = 1; i <= 10; ++i) {
    blanks.push(
      await page.evaluate(async (part) => {
        const to = document.documentElement.scrollHeight * part
        const from = window.scrollY
        for (let f = 1; f <= 12; ++f) {
          window.scrollTo(0, from + ((to - from) * f) / 12)
          await new Promise(requestAnimationFrame)
        }
        await new Promise((done) => setTimeout(done, 100))
        return document.querySelectorAll('tr[data-blank]').length
      }, (i * 0.37) % 1),
    )
  }
  const rows = (await cloud.ok('GET', '/v1/job-pages?all=1')).total
  await page.context().close()
  return { list_rows: rows, list_blank_rows_after_100_ms: Math.max(...blanks) }
}

const chromium = await launch()
const measured = {}
try {
  for (const part of [firstLoad, changeToScreen, heatMap, longList]) {
    Object.assign(measured, await part(chromium))
    console.error(`${part.name}: ${JSON.stringify(measured)}`)
  }
} finally {
  await chromium.close()
}
console.log(JSON.stringify(measured))
process.exit(0)
