// Measures, before a server full of emulated cards (tests/bench_console.py starts it): one JSON object
// on the last line. Times between the server and the page are of one machine's clock.
import { loadavg } from 'node:os'

import { cloud, desk, launch } from './browser.mjs'
import { Load, sleep } from './load.mjs'

const wanted = { jobs: 100_000, changes: 1000, parts: '', ...JSON.parse(process.env.AMPACITY_BENCH ?? '{}') }
const load = new Load(cloud.url, cloud.owner)
// A job changes its card's state three times (leased, runs, gone); but the next one gets the card that
// has just become free, so what a picture shows of it is about one change a job.
const jobs_per_s = Math.ceil(wanted.changes * 1.06)

const sorted = (numbers) => [...numbers].sort((a, b) => a - b)
const at = (numbers, part) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))]
const round = (n, to = 1) => Number((Math.round(n / to) * to).toFixed(1))

// In the page, before anything of its own: when its heading and its content were painted, the end of
// the last task of more than 50 ms, what came of the fleet and when that was painted.
function watch() {
  const now = () => performance.timeOrigin + performance.now()
  // Behind the frame that shows what is there now.
  const painted = (f) => requestAnimationFrame(() => setTimeout(f))
  window.seen = { content: 0, busyUntil: 0, changes: 0, letters: [], shown: [], running: {} }
  new PerformanceObserver((l) => {
    for (const e of l.getEntries()) window.seen.busyUntil = Math.max(window.seen.busyUntil, e.startTime + e.duration)
  }).observe({ type: 'longtask', buffered: true })
  const look = () => {
    const { seen } = window
    if (!seen.content && document.querySelector('h1') && !document.querySelector('.loading')) {
      seen.content = -1
      painted(() => (seen.content = performance.now()))
    }
    if (!window.timed) return
    for (const row of document.querySelectorAll('table.rows tbody tr[data-index]')) {
      const name = /timed-\w+-\d+/.exec(row.textContent)?.[0]
      if (!name || name in seen.running || !/running/.test(row.textContent)) continue
      seen.running[name] = 0
      painted(() => (seen.running[name] = now()))
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true })
  const real = window.EventSource
  window.EventSource = class extends real {
    constructor(url) {
      super(url)
      if (!String(url).includes('fleet/live')) return
      this.addEventListener('message', (m) => {
        const e = JSON.parse(m.data)
        const { seen } = window
        // The bench's nodes have eight cards each.
        if (e.gpus) seen.letters = e.gpus.match(/.{8}/g)
        for (const c of e.changes ?? []) {
          const node = c.node ?? 0
          for (let i = 0; i < 8; i++) seen.changes += c.gpus[i] !== seen.letters[node][i]
          seen.letters[node] = c.gpus
        }
        painted(() => seen.shown.push([e.sequence, now()]))
      })
    }
  }
}

async function person(chromium, key) {
  const page = await chromium.person(key)
  await page.addInitScript(watch)
  return page
}

// Five times, with nothing in the browser's cache.
async function firstLoad(chromium) {
  const signedIn = await chromium.person(cloud.customer)
  const storageState = await signedIn.context().storageState()
  await signedIn.context().close()
  const times = []
  let weights = []
  for (let i = 0; i < 5; ++i) {
    const fresh = await chromium.browser.newContext({ viewport: desk, storageState, baseURL: cloud.url })
    await fresh.addInitScript(watch)
    const page = await fresh.newPage()
    const network = await fresh.newCDPSession(page)
    await network.send('Network.enable')
    const assets = new Map()
    weights = []
    network.on('Network.responseReceived', (e) => /\/console\//.test(e.response.url) && assets.set(e.requestId, new URL(e.response.url).pathname.split('/').at(-1)))
    network.on('Network.loadingFinished', (e) => assets.has(e.requestId) && weights.push([e.encodedDataLength, assets.get(e.requestId)]))
    await page.goto('/console/workloads')
    await page.waitForFunction(() => window.seen.content > 0)
    await sleep(600)
    times.push(await page.evaluate(() => Math.max(window.seen.content, window.seen.busyUntil)))
    await fresh.close()
  }
  console.error(`the first load: ${weights.sort((a, b) => b[0] - a[0]).map(([bytes, name]) => `${name} ${round(bytes / 1000, 0.1)}`).join(', ')}`)
  const bytes = weights.reduce((sum, [n]) => sum + n, 0)
  return { gzip_kb: round(bytes / 1000), interactive_ms: round(at(times, 0.5)), interactive_ms_worst: round(Math.max(...times)) }
}

// Facts from the newest back, of these kinds, until `enough` of them says so.
async function facts(query, enough) {
  const all = []
  for (let cursor = ''; cursor !== undefined; ) {
    const log = await cloud.ok('GET', `/v1/event-log?limit=500&cursor=${cursor}${query}`)
    all.push(...(log.items ?? []))
    if (enough(log)) break
    cursor = log.next_cursor
  }
  return all
}

// From the instant of the fact until the row that shows it was painted; rows come, and change.
async function listLate(chromium, name) {
  const page = await person(chromium, cloud.customer)
  await page.goto('/console/workloads?q=timed')
  await page.getByRole('heading', { name: 'Workloads' }).waitFor()
  await page.evaluate(() => (window.timed = true))
  await sleep(1500)
  const ids = {}
  for (let i = 0; i < 60; ++i) {
    const job = JSON.parse(await load.one(`timed-${name}-${i}`))
    ids[job.id] = job.name
    await sleep(70 + ((i * 37) % 50))
  }
  await sleep(1500)
  const shown = await page.evaluate(() => window.seen.running)
  await page.context().close()
  const late = []
  const missing = new Set(Object.keys(ids))
  await facts('&kind=rank_started', (log) => {
    for (const e of log.items ?? []) {
      if (!missing.delete(e.job) || !shown[ids[e.job]]) continue
      late.push(shown[ids[e.job]] - Date.parse(e.at))
    }
    return missing.size === 0
  })
  return { late, lost: Object.keys(ids).length - late.length }
}

async function changeToScreen(chromium) {
  const { late, lost } = await listLate(chromium, 'quiet')
  return {
    change_to_screen_ms_p50: round(at(late, 0.5)),
    change_to_screen_ms_p95: round(at(late, 0.95)),
    changes_timed: late.length,
    changes_not_shown: lost,
  }
}

async function changeToScreenBusy(chromium) {
  load.begin(jobs_per_s)
  await sleep(3000)
  const { late, lost } = await listLate(chromium, 'busy')
  await load.end()
  return { busy_change_to_screen_ms_p50: round(at(late, 0.5)), busy_change_to_screen_ms_p95: round(at(late, 0.95)), busy_changes_not_shown: lost }
}

// So many seconds of frames; `moving`: each moves the picture, so that all in sight is drawn anew.
async function frames(page, devtools, seconds, moving) {
  const cpu = async () => (await devtools.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value * 1000
  const used = await cpu()
  const measured = await page.getByRole('application').evaluate(
    async (map, { ms, moving }) => {
      map.focus()
      const before = window.seen.changes
      const at = []
      await new Promise((done) => {
        const step = (now) => {
          at.push(now)
          if (moving) map.dispatchEvent(new KeyboardEvent('keydown', { key: at.length % 20 < 10 ? 'ArrowLeft' : 'ArrowRight', shiftKey: true, bubbles: true }))
          if (now - at[0] < ms) requestAnimationFrame(step)
          else done()
        }
        requestAnimationFrame(step)
      })
      const took = (at.at(-1) - at[0]) / 1000
      const gaps = at.slice(1).map((x, i) => x - at[i]).sort((a, b) => a - b)
      return { frames: at.length, fps: (at.length - 1) / took, gap_p99: gaps[Math.floor(gaps.length * 0.99)], changes: (window.seen.changes - before) / took }
    },
    { ms: seconds * 1000, moving },
  )
  return { ...measured, cpu_ms: ((await cpu()) - used) / measured.frames, load: loadavg()[0] }
}

async function heatMap(chromium) {
  const page = await person(chromium, cloud.owner)
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.goto('/console/fleet')
  await page.getByRole('application').waitFor()
  load.begin(jobs_per_s)
  await sleep(wanted.run_ms + 3000) // as many end as begin
  await page.evaluate(() => (window.seen.shown = []))
  const before = (await cloud.ok('GET', '/v1/event-log?limit=1')).items[0].sequence
  const began = performance.now()
  const still = await frames(page, devtools, 5, false)
  const windows = []
  for (let i = 0; i < 3; ++i) windows.push(await frames(page, devtools, 5, true))
  const { shown, gpus } = await page.evaluate(() => ({ shown: window.seen.shown, gpus: window.seen.letters.length * 8 }))
  const seconds = (performance.now() - began) / 1000
  await load.end()
  const changing = new Set(['lease_granted', 'rank_started', 'lease_closed'])
  const told = (await facts('', (log) => log.looked_until <= before)).filter((e) => e.sequence > before && changing.has(e.kind))
  const late = []
  let n = 0
  for (const e of told.reverse()) {
    while (n < shown.length && shown[n][0] < e.sequence) n += 1
    if (n < shown.length) late.push(shown[n][1] - Date.parse(e.at))
  }
  await page.context().close()
  const middle = windows.sort((a, b) => a.fps - b.fps)[1]
  return {
    map_gpus: gpus,
    fps: round(middle.fps, 0.1),
    fps_windows: windows.map((w) => round(w.fps, 0.1)),
    fps_still: round(still.fps, 0.1),
    frame_gap_ms_p99: round(middle.gap_p99, 0.1),
    page_cpu_ms_per_frame: round(middle.cpu_ms, 0.1),
    page_cpu_ms_per_frame_still: round(still.cpu_ms, 0.1),
    changes_per_s: round(Math.min(still.changes, ...windows.map((w) => w.changes))),
    core_changes_per_s: round(told.length / seconds),
    map_change_to_screen_ms_p50: round(at(late, 0.5)),
    map_change_to_screen_ms_p95: round(at(late, 0.95)),
    load_average: round(middle.load, 0.1),
  }
}

// Scrolled far, in steps of a frame: how long until every row in sight is there, and how many are blank
// after 100 ms.
async function scrolls(page, times) {
  const all = []
  for (let i = 1; i <= times; ++i)
    all.push(
      await page.evaluate(async (part) => {
        const frame = () => new Promise(requestAnimationFrame)
        // Pixels of the table in sight without a row that says something.
        const blank = () => {
          const table = document.querySelector('table.rows tbody').getBoundingClientRect()
          let left = Math.min(innerHeight, table.bottom) - Math.max(0, table.top)
          for (const row of document.querySelectorAll('table.rows tr[data-index]:not([data-blank])')) {
            const r = row.getBoundingClientRect()
            left -= Math.max(0, Math.min(innerHeight, r.bottom) - Math.max(0, r.top))
          }
          return Math.ceil(left / 38 - 0.1)
        }
        const to = (document.documentElement.scrollHeight - innerHeight) * part
        const from = window.scrollY
        for (let f = 1; f <= 12; ++f) {
          window.scrollTo(0, from + ((to - from) * f) / 12)
          await frame()
        }
        const ended = performance.now()
        let whole = 0
        let left = -1
        while (performance.now() - ended < 3000 && (!whole || left < 0)) {
          await frame()
          const rows = blank()
          const ms = performance.now() - ended
          if (ms >= 100 && left < 0) left = rows
          if (rows > 0) whole = 0
          else whole ||= ms
        }
        return { ms: whole || 3000, left }
      }, (i * 0.37) % 1),
    )
  return all
}

async function longList(chromium) {
  const count = async () => (await cloud.ok('GET', '/v1/job-pages?all=1')).total
  await load.all(wanted.jobs - (await count()))
  await sleep(wanted.run_ms + 1000)
  const page = await person(chromium, cloud.owner)
  await page.goto('/console/workloads?state=all')
  await page.getByText(/workloads$/).waitFor()
  const quiet = await scrolls(page, 20)
  load.begin(jobs_per_s)
  await sleep(2000)
  const busy = await scrolls(page, 20)
  await load.end()
  await page.context().close()
  const ms = (all, part) => round(at(all.map((s) => s.ms), part))
  return {
    list_rows: await count(),
    list_blank_ms_p50: ms(quiet, 0.5),
    list_blank_ms: ms(quiet, 1),
    list_blank_rows_after_100_ms: Math.max(...quiet.map((s) => s.left)),
    busy_list_blank_ms: ms(busy, 1),
    busy_list_blank_rows_after_100_ms: Math.max(...busy.map((s) => s.left)),
  }
}

const chromium = await launch()
const measured = {}
try {
  for (const part of [firstLoad, changeToScreen, changeToScreenBusy, heatMap, longList]) {
    if (wanted.parts && !wanted.parts.split(',').includes(part.name)) continue
    const before = loadavg()[0]
    const found = await part(chromium)
    console.error(`${part.name} (load ${before} before): ${JSON.stringify(found)}`)
    Object.assign(measured, found)
  }
} finally {
  await chromium.close()
}
console.log(JSON.stringify(measured))
process.exit(0)
