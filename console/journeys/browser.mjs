// A real Chromium for the journeys: signs in, takes pictures light and dark, asks axe, and fails on
// anything that the page itself complained about.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env.AMPACITY_SCREENSHOTS ?? join(import.meta.dirname, '../../build/screenshots')
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']

export const desk = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }
export const zoomed = { width: 640, height: 400 } // what is left of the desk at 200 %

export function expect(condition, what) {
  if (!condition) throw new Error(what)
}

// The cloud under test, as its API's user: cloud.ok('POST', '/v1/jobs', {…}, cloud.customer).
export const cloud = {
  url: process.env.AMPACITY_URL,
  owner: process.env.AMPACITY_OWNER_KEY,
  customer: process.env.AMPACITY_CUSTOMER_KEY,
  async ok(method, path, body, key = cloud.owner) {
    const r = await fetch(cloud.url + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await r.text()
    expect(r.ok, `${method} ${path}: ${r.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  },
}

export async function launch() {
  const profile = mkdtempSync(join(tmpdir(), 'ampacity-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const browser = context.browser()
  return {
    browser,
    // A page of a person's own: key (null: nobody signed in), language, size of the screen.
    async person(key, { size = desk, locale = 'en-US' } = {}) {
      const own = await browser.newContext({ viewport: size, locale, timezoneId: 'Asia/Taipei', baseURL: cloud.url, reducedMotion: 'reduce', deviceScaleFactor: size === zoomed ? 2 : 1 })
      const page = await own.newPage()
      const complaints = []
      page.on('console', (m) => {
        if (m.type() !== 'error') return
        // The sign-in page's own question of who is signed in.
        if (m.text().includes('401') && m.location().url.endsWith('/v1/whoami')) return
        // Chromium drops what is under way when podman adds or takes an interface; the page asks again.
        if (m.text().includes('ERR_NETWORK_CHANGED')) return
        complaints.push(`${m.text()} ${m.location().url}`)
      })
      page.on('pageerror', (e) => complaints.push(String(e)))
      // … but not for a part of itself.
      page.on('requestfailed', (r) => {
        if (r.failure()?.errorText.includes('ERR_NETWORK_CHANGED') && r.resourceType() !== 'fetch') page.cut = true
      })
      page.complaints = complaints
      if (key) await signIn(page, key)
      return page
    },
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

export async function signIn(page, key) {
  await page.goto('/console/')
  await page.getByLabel('API key').or(page.getByLabel('API 金鑰')).fill(key)
  await page.keyboard.press('Enter')
  await page.locator('nav').first().waitFor({ state: 'attached' })
}

// build/screenshots/NAME-light.png and -dark.png, asked of axe: of everything once, of contrast in both.
export async function look(page, name, once = false) {
  mkdirSync(pictures, { recursive: true })
  const wrong = []
  for (const colorScheme of once ? ['light'] : ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await page.waitForFunction((c) => document.documentElement.dataset.mantineColorScheme === c, colorScheme)
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`), animations: 'disabled' })
    const asked = colorScheme === 'light' ? { type: 'tag', values: rules } : { type: 'rule', values: ['color-contrast'] }
    await accessible(page, `${name} (${colorScheme})`, asked).catch((e) => wrong.push(e.message))
  }
  if (!once) await page.emulateMedia({ colorScheme: 'light' })
  expect(wrong.length === 0, wrong.join('\n'))
}

export async function accessible(page, name, asked = { type: 'tag', values: rules }) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
  const found = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ['violations'] }), asked)
  const said = found.violations.map((v) => `${v.id}: ${v.help}\n    ${v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join('\n    ')}`)
  expect(said.length === 0, `axe on ${name}:\n  ${said.join('\n  ')}`)
}

export function quiet(page, name) {
  expect(page.complaints.length === 0, `${name} complained:\n  ${page.complaints.join('\n  ')}`)
}
